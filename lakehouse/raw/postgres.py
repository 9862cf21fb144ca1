"""Ingest from PostgreSQL: all tables of a source from one snapshot, in parallel parts, into raw."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pyarrow as pa
import structlog
from psycopg2.extensions import connection as Connection

from lakehouse.errors import DataError, LakehouseError
from lakehouse.fingerprint import fingerprint as text_fingerprint
from lakehouse.iceberg.data_files import WrittenFile, write
from lakehouse.iceberg.lake import Lake
from lakehouse.iceberg.snapshots import RUN_PROPERTY
from lakehouse.iceberg.table import IcebergTable
from lakehouse.paths import raw
from lakehouse.raw import deletes as keys
from lakehouse.raw import target as raw_table
from lakehouse.raw.columns import DELETE, UPSERT, Contract, renames, resolve
from lakehouse.raw.load import Loaded, Request, check_brake
from lakehouse.raw.state import PROPERTY, State, last_state, lower_for_integer, lower_for_time, reaches_back_to, states
from lakehouse.registry.tables import Load, SourceTable
from lakehouse.settings import PostgresSource
from lakehouse.sources.postgres import query
from lakehouse.sources.postgres.connection import SESSION_SETTINGS, connect, dsn, translated
from lakehouse.sources.postgres.describe import PostgresRelation, describe
from lakehouse.sources.postgres.extract import PartRead, extract, read_table
from lakehouse.sources.postgres.query import Bound
from lakehouse.sources.postgres.snapshot import GUARD, Snapshot, exported_snapshot
from lakehouse.sources.postgres.types import quote_identifier
from lakehouse.spark import is_local

log = structlog.get_logger()

_INTEGERS = {"int", "bigint"}
_WORTH_PARTS = 1_000_000  # fewer rows than this are read at once
_KEYS_PER_QUERY = 1_000
_REPETITIVE = """
SELECT attname FROM pg_stats
 WHERE format('%%I.%%I', schemaname, tablename) = format('%%I.%%I', %s, %s) AND n_distinct BETWEEN 1 AND 50000
"""


@dataclass(frozen=True)
class Source:
    """A PostgreSQL source during a run: its snapshot and the threads that read by it."""

    snapshot: Snapshot
    floors: dict[str, str]
    readers: Executor


@dataclass(frozen=True)
class KeyComparison:
    """What comparing keys found: files of tombstones, how many keys the source has (``None``: not compared), and the
    keys of rows that raw lacks although they are behind the watermark."""

    tombstones: list[WrittenFile]
    source_keys: int | None
    missed: list[dict[str, Any]]


@contextmanager
def opened(name: str, source: PostgresSource, tables: Iterable[SourceTable]) -> Iterator[Source]:
    """Source ``name`` with one snapshot for all of ``tables``."""
    floors = _floors(name, source, tables)
    with exported_snapshot(name, source) as snapshot, ThreadPoolExecutor(source.parallelism) as readers:
        yield Source(snapshot, floors, readers)


def _floors(name: str, source: PostgresSource, tables: Iterable[SourceTable]) -> dict[str, str]:
    """The highest visible value of each integer cursor, before the transactions are looked at (see ``state``)."""
    floors: dict[str, str] = {}
    incremental = [table for table in tables if table.load is Load.INCREMENTAL]
    if not incremental:
        return floors
    with connect(name, source) as connection, connection.cursor() as cursor:
        for table in incremental:
            try:
                relation, contract = _described(connection, table, source)
            except LakehouseError:
                continue  # said when the table's turn comes, so that it stops no other
            if contract.cursor and contract.column(contract.cursor).lake_type in _INTEGERS:
                column = quote_identifier(contract.column(contract.cursor).source_name)
                cursor.execute(f"SELECT max({column})::text FROM {relation.sql}")
                row = cursor.fetchone()
                if row and row[0] is not None:
                    floors[table.table] = row[0]
    return floors


def _described(connection: Connection, table: SourceTable, source: PostgresSource) -> tuple[PostgresRelation, Contract]:
    zone = table.timezone or source.timezone
    relation = describe(connection, table.source.relation, zone, f"ingesting {table.table}")
    relation = relation.renamed(renames(table, relation.relation))
    contract = resolve(table, relation.relation)
    if contract.cursor and relation.reads[contract.cursor].as_bound is None:
        kind = contract.column(contract.cursor).source_type
        raise DataError(
            f"ingesting {table.table}: cursor {contract.cursor!r} is {kind}; expected a timestamp, a date "
            "or an integer.",
            remedy="Name another cursor, or load the table in full.",
        )
    return relation, contract


def ingest(table: SourceTable, source: Source, lake: Lake, request: Request) -> Loaded:
    """Bring ``table`` into raw, in one commit that also holds its new state.

    Raises:
        SourceError: the relation or a column is not there, or may not be read.
        SchemaDriftError, BrakeError, DataError: see there; raw is as it was.
    """
    with source.snapshot.session() as connection:
        return _Ingest(table, source, lake, request, connection).run()


class _Ingest:
    """One table's ingest: what was read of it, step by step."""

    def __init__(
        self, table: SourceTable, source: Source, lake: Lake, request: Request, connection: Connection
    ) -> None:
        self.table, self.source, self.lake, self.request, self.connection = table, source, lake, request, connection
        self.snapshot = source.snapshot
        self.relation, self.contract = _described(connection, table, self.snapshot.source)
        self.raw = lake.catalog.find(raw(table.table))
        self.state = None if request.replaces(table) else last_state(self.raw)
        self.drift = raw_table.drift(table, self.raw, self.contract, request)
        self.columns = text_fingerprint(*(f"{c.source_name}:{c.name}:{c.source_type}" for c in self.contract.columns))

    @property
    def bound(self) -> Bound | None:
        """What to read: nothing but a bound by the cursor spares a whole read."""
        cursor, window = self.contract.cursor, self.request.window
        if cursor is None:
            return None
        if window is not None and self.contract.column(cursor).lake_type not in _INTEGERS:
            return Bound(cursor, window.start.isoformat(), window.end.isoformat())
        if self.state is None or self.request.full_refresh or self.drift.added or self.state.lower is None:
            return None
        return Bound(cursor, self.state.lower)

    def run(self) -> Loaded:
        if self._unchanged():
            return Loaded(self.table.table)
        if self.contract.cursor is None or self.state is None:
            return self._replace()
        return self._append()

    def _unchanged(self) -> bool:
        """Whether the source can tell that nothing changed since the last load."""
        state = self.state
        asked = self.request.full_refresh or self.request.window is not None
        if state is None or asked or state.columns != self.columns or not state.fingerprint:
            return False
        if state.fingerprint != self._fingerprint(state.lower):
            return False
        if self.contract.cursor is None or not keys.is_due(self.table, state, self.snapshot.taken_at):
            return True
        return state.keys == self._count()

    def _replace(self) -> Loaded:
        """Read all rows and make them raw's content."""
        held = self._target()
        before = 0 if self.request.replaces(self.table) else held.row_count
        if before:
            count = self._count()
            check_brake(self.table, before, count, before - count, self.request)
        files = self._extract(held, self._conditions())
        rows = sum(file.rows for file in files)
        state = self._next_state(files, keys_compared=rows)
        snapshot = held.replace(files, self._properties(state))
        return Loaded(self.table.table, rows, 0, snapshot, self._notes())

    def _append(self) -> Loaded:
        """Read what came since the watermark, and compare keys when that is due."""
        held = self._target()
        replayed = self.request.window is not None
        due = not replayed and keys.is_due(self.table, self.state, self.snapshot.taken_at)
        compared = self._compare_keys(held) if due else KeyComparison([], None, [])
        files = self._extract(held, self._conditions())
        late = self._extract_keys(held, compared.missed)
        properties = {RUN_PROPERTY: self.request.run_id}
        if not replayed:
            properties = self._properties(self._next_state(files, keys_compared=compared.source_keys))
        snapshot = held.append([*files, *late, *compared.tombstones], properties)
        rows, deletes = (sum(file.rows for file in group) for group in ([*files, *late], compared.tombstones))
        notes = self._notes()
        if late:
            notes += (f"{len(compared.missed):,} rows bore a {self.contract.cursor} behind the watermark",)
        return Loaded(self.table.table, rows, deletes, snapshot, notes)

    def _target(self) -> IcebergTable:
        """Raw, with the columns that this load needs."""
        self.raw = raw_table.prepared(self.table, self.raw, self.contract, self.drift, self.lake, self.request)
        return self.raw

    def _conditions(self) -> list[str | None]:
        """The conditions of the parts in which the rows within the bound are read."""
        within = query.where(self.relation, self.bound)
        pages = query.page_ranges(self.relation, self.snapshot.source.parallelism)
        few = within and len(pages) > 1 and self._estimate(within) < _WORTH_PARTS
        return [" AND ".join([*within, *([page] if page else [])]) or None for page in ([None] if few else pages)]

    def _extract_keys(self, held: IcebergTable, rows: list[dict[str, Any]]) -> list[WrittenFile]:
        """The rows with those keys."""
        key = self.contract.key
        groups = [rows[start : start + _KEYS_PER_QUERY] for start in range(0, len(rows), _KEYS_PER_QUERY)]
        values = [[[row[name] for name in key] for row in group] for group in groups]
        return self._extract(held, [query.with_keys(self.relation, key, group) for group in values])

    def _extract(self, held: IcebergTable, conditions: Sequence[str | None]) -> list[WrittenFile]:
        """A data file for each of ``conditions`` that rows meet."""
        select = query.select(self.relation, [column.name for column in self.contract.columns])
        repetitive = self._repetitive() if self.state is None else None
        parts = [
            PartRead(
                dsn(self.snapshot.source),
                (*SESSION_SETTINGS, *self.snapshot.statements()),
                query.with_conditions(select, [condition]),
                f"ingesting {self.table.table}",
                held.new_file(),
                self._constants(UPSERT),
                self.contract.cursor,
                repetitive,
            )
            for condition in conditions
        ]
        return [file for file in self._run(parts) if file is not None]

    def _run(self, parts: list[PartRead]) -> list[WrittenFile | None]:
        """Extract ``parts`` where it is nearest: in threads here, or on the executors of a cluster."""
        if len(parts) == 1 or is_local(self.lake.spark):
            return list(self.source.readers.map(extract, parts))
        context = self.lake.spark.sparkContext
        return context.parallelize(parts, len(parts)).map(extract).collect()

    def _constants(self, operation: str) -> dict[str, Any]:
        return {"_run_id": self.request.run_id, "_ingested_at": self.snapshot.taken_at, "_op": operation}

    def _compare_keys(self, held: IcebergTable) -> KeyComparison:
        """What vanished at the source since the last load, and what came to it behind the watermark."""
        key, bound = self.contract.key, self.bound
        found = self._source_keys(key, bound)
        count = found.num_rows
        odd = keys.difference_here(self.lake.spark.table(str(held.name)), found, key, awaited="_covered")
        if odd.gone.num_rows:
            before = count - odd.new + odd.gone.num_rows
            check_brake(self.table, before, count, odd.gone.num_rows, self.request)
        file = write(held.new_file(), odd.gone.to_batches(), self._constants(DELETE)) if odd.gone.num_rows else None
        return KeyComparison([file] if file else [], count, odd.unseen.to_pylist())

    def _source_keys(self, key: Sequence[str], bound: Bound | None) -> pa.Table:
        select = query.select_keys(self.relation, key, bound)
        pages = query.page_ranges(self.relation, self.snapshot.source.parallelism)
        parts = self.source.readers.map(
            lambda page: read_table(
                dsn(self.snapshot.source),
                (*SESSION_SETTINGS, *self.snapshot.statements()),
                query.with_conditions(select, [page]),
                f"comparing keys of {self.table.table}",
            ),
            pages,
        )
        return pa.concat_tables(parts)

    def _next_state(self, files: list[WrittenFile], keys_compared: int | None) -> State:
        previous, taken_at = self.state, self.snapshot.taken_at
        horizon = reaches_back_to(self.snapshot.horizon.at, self.snapshot.horizon.prepared, previous)
        seen = [file.highest for file in files if file.highest is not None]
        highest = max(seen) if seen else None
        state = State(
            taken_at=taken_at,
            columns=self.columns,
            key=self.contract.key,
            reaches_back_to=horizon,
            floor=self.source.floors.get(self.table.table),
            highest=str(highest) if highest is not None else previous.highest if previous else None,
            keys=keys_compared if keys_compared is not None else previous.keys if previous else None,
            keys_compared_at=taken_at if keys_compared is not None else previous.keys_compared_at if previous else None,
        )
        lower = self._lower(state, highest)
        return state.model_copy(update={"lower": lower, "fingerprint": self._fingerprint(lower)})

    def _lower(self, state: State, highest: Any) -> str | None:
        cursor = self.contract.cursor
        if cursor is None:
            return None
        if self.contract.column(cursor).lake_type in _INTEGERS:
            earlier = states(self.raw) if self.raw is not None else ()
            return lower_for_integer(state, self.snapshot.horizon.asked_at, GUARD, earlier)
        if highest is None:
            return self.state.lower if self.state else None
        zone = self.table.timezone or self.snapshot.source.timezone
        ambiguous = timedelta(hours=0 if zone.upper() == "UTC" else 1)  # the hour that a clock shows twice
        return lower_for_time(highest, state.reaches_back_to, self.table.overlap + ambiguous)

    def _properties(self, state: State) -> dict[str, str]:
        return {PROPERTY: state.model_dump_json(), RUN_PROPERTY: self.request.run_id}

    def _notes(self) -> tuple[str, ...]:
        notes = [f"new column {name} ({kind})" for name, kind in self.drift.added.items()]
        notes += [f"column {name} widened to {kind}" for name, kind in self.drift.widened.items()]
        notes += [
            f"column {name} is {kind} at the source now; raw keeps its wider type"
            for name, kind in self.drift.narrowed.items()
        ]
        if self.snapshot.horizon.prepared:
            notes.append(f"prepared transactions hold the watermark back: {', '.join(self.snapshot.horizon.prepared)}")
        return tuple(notes)

    def _fingerprint(self, lower: str | None) -> str:
        bound = Bound(self.contract.cursor, lower) if self.contract.cursor else None
        return str(self._one(query.fingerprint(self.relation, query.where(self.relation, bound))))

    def _count(self) -> int:
        return int(self._one(f"SELECT count(*) FROM {self.relation.sql}"))

    def _estimate(self, conditions: Sequence[str]) -> float:
        """How many rows meet ``conditions``, by the source's statistics."""
        every = f"SELECT * FROM {self.relation.sql}"
        plan = self._one(f"EXPLAIN (FORMAT JSON) {query.with_conditions(every, conditions)}")
        return float(plan[0]["Plan"]["Plan Rows"])

    def _one(self, sql: str) -> Any:
        with translated(self.snapshot.name, self.snapshot.source), self.connection.cursor() as cursor:
            cursor.execute(sql)
            row = cursor.fetchone()
            assert row is not None
            return row[0]

    def _repetitive(self) -> tuple[str, ...] | None:
        """Columns with few different values, by the source's statistics; ``None`` when it has none."""
        schema, name = self.relation.relation.name.split(".", 1)
        with translated(self.snapshot.name, self.snapshot.source), self.connection.cursor() as cursor:
            cursor.execute(_REPETITIVE, (schema, name))
            found = {row[0] for row in cursor.fetchall()}
        if not found:
            return None
        return tuple(column.name for column in self.contract.columns if column.source_name in found)


__all__ = ["Source", "ingest", "opened"]
