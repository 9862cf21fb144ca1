"""What runs leave behind: a row in ``ops.runs`` for each change of a run's status, one in ``ops.table_runs`` a table."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import pyarrow as pa

from lakehouse.iceberg.catalog import Catalog
from lakehouse.iceberg.data_files import write
from lakehouse.paths import TableName, ops

RUNS, TABLE_RUNS = ops("runs"), ops("table_runs")
_RUNS_COLUMNS = {
    "run_id": "string",
    "status": "string",
    "at": "timestamp",
    "profile": "string",
    "plan": "string",
    "failed": "int",
}
_TABLE_RUNS_COLUMNS = {
    "run_id": "string",
    "table_name": "string",
    "status": "string",
    "started_at": "timestamp",
    "seconds": "double",
    "rows_read": "bigint",
    "merged": "bigint",
    "superseded": "bigint",
    "rejected": "bigint",
    "tombstones": "bigint",
    "snapshot_id": "bigint",
    "attempts": "int",
    "notes": "string",
    "error": "string",
}


class Status(StrEnum):
    """How a table, or a run, ended. ``unchanged`` is a success that had nothing to do."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class TableRun:
    """What became of one table in one run. Times in UTC, counts in rows.

    Attributes:
        exit_code: the error's, when the table failed.
        retryable: whether trying again may help.
    """

    table: str
    status: Status
    started_at: datetime
    seconds: float = 0.0
    rows_read: int = 0
    merged: int = 0
    superseded: int = 0
    rejected: int = 0
    tombstones: int = 0
    snapshot: int | None = None
    attempts: int = 1
    notes: tuple[str, ...] = ()
    error: str | None = None
    exit_code: int = 0
    retryable: bool = False

    def event(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self) | {
            "started_at": self.started_at.isoformat(),
            "snapshot": self.snapshot and str(self.snapshot),
        }


@dataclass(frozen=True)
class RunRecord:
    """A run as ``ops.runs`` knows it; ``plan`` is what ``--resume`` needs to go on."""

    run_id: str
    status: Status
    plan: Mapping[str, Any] = field(default_factory=dict)


def record_run(catalog: Catalog, record: RunRecord, profile: str, failed: int = 0) -> None:
    """Add the run's present status to ``ops.runs``."""
    row = {
        "run_id": record.run_id,
        "status": str(record.status),
        "at": datetime.now(UTC),
        "profile": profile,
        "plan": json.dumps(record.plan),
        "failed": failed,
    }
    _append(catalog, RUNS, _RUNS_COLUMNS, [row])


def record_tables(catalog: Catalog, run_id: str, runs: Sequence[TableRun]) -> None:
    """Add what became of each table to ``ops.table_runs``."""
    rows = [
        {
            "run_id": run_id,
            "table_name": run.table,
            "status": str(run.status),
            "started_at": run.started_at,
            "seconds": run.seconds,
            "rows_read": run.rows_read,
            "merged": run.merged,
            "superseded": run.superseded,
            "rejected": run.rejected,
            "tombstones": run.tombstones,
            "snapshot_id": run.snapshot,
            "attempts": run.attempts,
            "notes": "; ".join(run.notes),
            "error": run.error,
        }
        for run in runs
    ]
    _append(catalog, TABLE_RUNS, _TABLE_RUNS_COLUMNS, rows)


def last_run(catalog: Catalog, spark: Any) -> RunRecord | None:
    """The run that began last, with its newest status; ``None`` before the first."""
    if catalog.find(RUNS) is None:
        return None
    row = spark.sql(f"""
        SELECT run_id, max_by(status, at) AS status, min_by(plan, at) AS plan
          FROM {RUNS} GROUP BY run_id ORDER BY min(at) DESC LIMIT 1""").first()
    return None if row is None else RunRecord(row["run_id"], Status(row["status"]), json.loads(row["plan"]))


def _append(catalog: Catalog, name: TableName, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    table = catalog.find(name) or catalog.create(name, columns)
    target = table.new_file()
    batch = pa.RecordBatch.from_pylist(list(rows), schema=target.schema)
    file = write(target, [batch], {})
    assert file is not None
    table.append([file], {})
