"""What earlier runs did, asked of ``ops`` by Spark: only for runs that died, to resume, and to publish after a part."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pyspark.sql import functions as F

from lakehouse.iceberg.lake import Lake
from lakehouse.orchestrate.ops import NONE_OPEN, OPEN_PROPERTY, RUNS, TABLE_RUNS, RunRecord
from lakehouse.orchestrate.runs import Kind, Status
from lakehouse.paths import TableName


@dataclass(frozen=True)
class PastRun:
    """A run as ``ops.runs`` knows it: when it began and was last begun or resumed (UTC), and its newest status."""

    record: RunRecord
    began_at: datetime
    opened_at: datetime


@dataclass(frozen=True)
class TableEnd:
    """How a table ended in a run, in an attempt that began then (UTC)."""

    table: TableName
    run_id: str
    status: Status
    started_at: datetime


def open_runs(lake: Lake) -> list[PastRun]:
    """Runs that began and did not end: whoever holds the locks knows that they died.

    Where no run is open this costs no query. A lake whose ``ops`` an older version wrote is asked once.
    """
    table = lake.catalog.find(RUNS)
    known = None if table is None else table.newest(OPEN_PROPERTY)
    if table is None or known == NONE_OPEN:
        return []
    running = [past for past in past_runs(lake) if past.record.status is Status.RUNNING]
    return [past for past in running if known is None or past.record.run_id == known]


def past_runs(lake: Lake) -> list[PastRun]:
    """All runs, those that began last first."""
    table = lake.catalog.find(RUNS)
    if table is None:
        return []
    told = any(field.name == "kind" for field in table.fields)
    found = (
        lake.spark.table(str(RUNS))
        .withColumn("kind", F.coalesce("kind" if told else F.lit(None), F.lit(str(Kind.PIPELINE))))
        .groupBy("run_id")
        .agg(
            F.max_by("status", "at").alias("status"),
            F.min_by("plan", "at").alias("plan"),
            F.max_by("profile", "at").alias("profile"),
            F.max_by("failed", "at").alias("failed"),
            F.max_by("kind", "at").alias("kind"),
            F.unix_micros(F.min("at")).alias("began_at"),
            F.unix_micros(F.max(F.when(F.col("status") == str(Status.RUNNING), F.col("at")))).alias("opened_at"),
        )
        .orderBy(F.desc("began_at"), F.desc("run_id"))
    )
    return [
        PastRun(
            RunRecord(row.run_id, Status(row.status), row.plan, row.profile, Kind(row.kind), row.failed),
            _moment(row.began_at),
            _moment(row.opened_at or row.began_at),
        )
        for row in found.collect()
    ]


def last_ends(lake: Lake) -> dict[TableName, TableEnd]:
    """How each table ended last, in whichever run."""
    ends: dict[TableName, TableEnd] = {}
    for end in ends_by_run(lake):
        if end.table not in ends or ends[end.table].started_at < end.started_at:
            ends[end.table] = end
    return ends


def ends_by_run(lake: Lake, run_id: str | None = None) -> list[TableEnd]:
    """How each table ended last in each run, or in the one of that id."""
    if lake.catalog.find(TABLE_RUNS) is None:
        return []
    rows = lake.spark.table(str(TABLE_RUNS))
    if run_id is not None:
        rows = rows.where(F.col("run_id") == run_id)
    found = rows.groupBy("table_name", "run_id").agg(
        F.max_by("status", "started_at").alias("status"), F.unix_micros(F.max("started_at")).alias("started_at")
    )
    return [
        TableEnd(TableName.parse(row.table_name), row.run_id, Status(row.status), _moment(row.started_at))
        for row in found.collect()
    ]


def _moment(micros: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=micros)
