"""What runs leave behind: a row in ``ops.runs`` for each change of a run's status, one in ``ops.table_runs`` a table.

Which run is open stands in a property of the newest snapshot of ``ops.runs``, so that a run that died is found without
a query.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from pydantic import ValidationError

from lakehouse.errors import ConfigurationError
from lakehouse.iceberg.catalog import Catalog
from lakehouse.iceberg.compact import compact
from lakehouse.iceberg.data_files import write
from lakehouse.orchestrate.runs import Kind, Plan, Status, TableRun
from lakehouse.paths import TableName, ops

RUNS, TABLE_RUNS = ops("runs"), ops("table_runs")
OPEN_PROPERTY = "lakehouse.open-run"
NONE_OPEN = "none"
_RUNS_COLUMNS = {
    "run_id": "string",
    "status": "string",
    "at": "timestamp",
    "profile": "string",
    "plan": "string",
    "failed": "int",
    "kind": "string",
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


@dataclass(frozen=True)
class RunRecord:
    """A run's present status.

    Attributes:
        plan: as JSON: an older version of the engine may have written one that today's :class:`Plan` does not take.
        failed: how many tables failed or were skipped.
    """

    run_id: str
    status: Status
    plan: str
    profile: str
    kind: Kind = Kind.PIPELINE
    failed: int = 0

    def read_plan(self) -> Plan:
        """The plan.

        Raises:
            ConfigurationError: it was recorded by a version of the engine that wrote plans otherwise.
        """
        try:
            return Plan.model_validate_json(self.plan)
        except ValidationError as error:
            raise ConfigurationError(
                f"reading the plan of run {self.run_id} from {RUNS.dotted}: it was recorded by another version of the "
                f"engine ({error.error_count()} fields differ).",
                remedy="Run again without --resume.",
            ) from None

    def planned(self) -> tuple[str, ...]:
        """The tables of the plan, whichever version wrote it."""
        return tuple(json.loads(self.plan).get("tables", ()))


def record_runs(catalog: Catalog, records: Sequence[RunRecord], *, open_run: str = NONE_OPEN) -> None:
    """Add the present status of runs to ``ops.runs``, in one commit.

    Args:
        open_run: the run that is open afterwards.
    """
    now = datetime.now(UTC)
    rows = [
        {
            "run_id": record.run_id,
            "status": str(record.status),
            "at": now,
            "profile": record.profile,
            "plan": record.plan,
            "failed": record.failed,
            "kind": str(record.kind),
        }
        for record in records
    ]
    _append(catalog, RUNS, _RUNS_COLUMNS, rows, {OPEN_PROPERTY: open_run})


def record_tables(catalog: Catalog, run_id: str, runs: Sequence[TableRun]) -> None:
    """Add what became of each table to ``ops.table_runs``, in one commit."""
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
    _append(catalog, TABLE_RUNS, _TABLE_RUNS_COLUMNS, rows, {})


def _append(
    catalog: Catalog,
    name: TableName,
    columns: Mapping[str, str],
    rows: Sequence[Mapping[str, Any]],
    properties: Mapping[str, str],
) -> None:
    if not rows:
        return
    table = catalog.find(name) or catalog.create(name, columns)
    lacking = {column: kind for column, kind in columns.items() if column not in {f.name for f in table.fields}}
    if lacking:  # made by an older version
        table.evolve(lacking)
    compact(table)
    target = table.new_file()
    batch = pa.RecordBatch.from_pylist(list(rows), schema=target.schema)
    file = write(target, [batch], {})
    assert file is not None
    table.append([file], properties)
