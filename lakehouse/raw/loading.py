"""What every load of a table begins with: the contract with its source, what raw is and knows, and what is written with it."""

from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lakehouse.iceberg.lake import Lake
from lakehouse.iceberg.table import IcebergTable
from lakehouse.iceberg.writing import Writing
from lakehouse.paths import raw
from lakehouse.raw.columns import DELETE, RAW_COLUMNS, Contract, renames, resolve
from lakehouse.raw.drift import Drift, drift
from lakehouse.raw.gather import Gathering
from lakehouse.raw.plan import ReadPlan
from lakehouse.raw.request import Request
from lakehouse.raw.state import State, last_state
from lakehouse.registry.tables import SourceTable
from lakehouse.sources.reader import Reader, Session, Wanted

_TICK = timedelta(milliseconds=1)  # between two looks at a source, whatever its clock says


@dataclass(frozen=True)
class OpenedSource:
    """A source during a run: its session, and the threads that read by it."""

    session: Session
    readers: Executor

    @property
    def parallelism(self) -> int:
        """How many of its tables may be loaded at the same time."""
        return self.session.parallelism


def wanted(table: SourceTable, target: IcebergTable | None) -> Wanted:
    """What ``table``, which is ``target`` in raw, wants of its source."""
    return Wanted(
        relation=table.source.relation,
        names=renames(table),
        columns=[column.source or name for name, column in table.columns.items() if not column.dropped],
        key=[spelled_at_source(table, name) for name in table.key],
        cursor=spelled_at_source(table, str(table.cursor)) if table.follows else None,
        zone=table.timezone,
        options=table.source.options,
        doing=f"ingesting {table.table}",
        is_loaded=target is not None,
    )


def spelled_at_source(table: SourceTable, column: str) -> str:
    """A column's name at the source, where the registry tells it, else as the registry spells it."""
    rule = table.columns.get(column)
    return (rule.source if rule else None) or column


class Loading:
    """One table, before a row of it is read.

    Attributes:
        target: it in raw, as it is; ``None`` before the first load.
    """

    def __init__(
        self,
        table: SourceTable,
        source: OpenedSource,
        reader: Reader,
        lake: Lake,
        request: Request,
        target: IcebergTable | None,
    ) -> None:
        self.table, self.session, self.reader, self.target = table, source.session, reader, target
        self.lake, self.request = lake, request
        self.contract: Contract = resolve(table, reader.relation)
        self.name = raw(table.table)
        self.state = None if request.replaces(table) else last_state(self.target)
        self.drift: Drift = drift(table, self.target, self.contract, request)
        self.taken_at = _later(self.session.taken_at, self.state)
        rows = self.state.keys if self.state else None
        self.gathering = Gathering(lake, source.readers, self.session.reads_in_threads, rows)

    @property
    def rows_in_raw(self) -> int:
        """Tombstones and old versions counted."""
        return self.target.row_count if self.target else 0

    def writing(self, planned: ReadPlan) -> Writing:
        """The commit to come."""
        catalog = self.lake.catalog
        if planned.replaces and (self.target is None or self.request.full_refresh or self.state is None):
            return catalog.replace(self.name, {**self.contract.lake_columns(), **RAW_COLUMNS})
        if planned.replaces:
            assert self.target is not None
            return catalog.replace(self.name, self._evolved())
        return catalog.extend(self.name, self.drift.added, self.drift.widened)

    def _evolved(self) -> dict[str, str]:
        """Raw's columns with those that are new, and with wider types: columns that the source gave up stay."""
        assert self.target is not None
        there = {field.name: field.lake_type for field in self.target.fields}
        return there | self.drift.added | self.drift.widened

    def constants(self, operation: str) -> dict[str, Any]:
        """The engine's columns of the rows that are written."""
        # a tombstone of a source without one moment comes after the rows that were read with it
        at = self.taken_at + timedelta(microseconds=operation == DELETE and not self.session.one_moment)
        return {"_run_id": self.request.run_id, "_ingested_at": at, "_op": operation}


def _later(moment: datetime, state: State | None) -> datetime:
    """The moment of this look at the source; later than the one before, whatever the source's clock says."""
    return max(moment, state.taken_at + _TICK) if state else moment
