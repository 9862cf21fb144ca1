"""Rejected rows: with the rule, the reason, the run, and the row as it was. They leave when a later version passes."""

from collections.abc import Sequence
from datetime import datetime

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.iceberg.lake import Lake
from lakehouse.iceberg.write import overwrite
from lakehouse.paths import engine_column, quarantine
from lakehouse.silver.contract import FAILURES
from lakehouse.silver.decide import OUTCOME, REJECTED

COLUMNS = {
    "key": "string",
    "rule": "string",
    "reason": "string",
    "run_id": "string",
    "rejected_at": "timestamp",
    "row": "string",
}
ROW = engine_column("row")


def rejects(decided: DataFrame, key: Sequence[str], run_id: str, rejected_at: datetime) -> DataFrame:
    """The rejected rows of ``decided`` in the columns of a quarantine table.

    ``key`` is JSON of the key's columns, ``rule`` and ``reason`` list all that the row breaks, and ``row`` is JSON of
    the row as raw holds it, personal data included: quarantine is to be guarded like raw.
    """
    return decided.where(F.col(OUTCOME) == REJECTED).select(
        _key_json(key).alias("key"),
        F.array_join(F.col(f"{FAILURES}.rule"), ", ").alias("rule"),
        F.array_join(F.col(f"{FAILURES}.reason"), "; ").alias("reason"),
        F.lit(run_id).alias("run_id"),
        F.lit(rejected_at).cast("timestamp").alias("rejected_at"),
        F.col(ROW).alias("row"),
    )


def refresh(
    table: str,
    decided: DataFrame,
    key: Sequence[str],
    rejected: int,
    lake: Lake,
    run_id: str,
    rejected_at: datetime,
    *,
    whole: bool,
) -> None:
    """Bring the quarantine of ``table`` up to date with a batch.

    Args:
        decided: the batch, with outcomes.
        rejected: how many of its rows are rejected.
        whole: whether the batch is all that raw holds, so that nothing else stays in quarantine.
    """
    name = quarantine(table)
    existing = lake.catalog.find(name)
    if rejected == 0 and (existing is None or existing.row_count == 0):
        return
    target = existing or lake.catalog.create(name, COLUMNS)
    rows = rejects(decided, key, run_id, rejected_at)
    if not whole and target.row_count:
        touched = decided.select(_key_json(key).alias("key")).distinct()
        others = lake.spark.table(str(name)).join(touched, on="key", how="left_anti")
        rows = others.select(*COLUMNS).unionByName(rows)
    overwrite(rows, target, {})


def _key_json(key: Sequence[str]) -> Column:
    return F.to_json(F.struct(*key), {"ignoreNullFields": "false"}) if key else F.lit(None).cast("string")
