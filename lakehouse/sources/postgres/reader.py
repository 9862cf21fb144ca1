"""A relation of PostgreSQL, read by the snapshot of the run."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pyarrow as pa
from psycopg2.extensions import connection as Connection

from lakehouse.sources.postgres import query
from lakehouse.sources.postgres.connection import dsn, translated
from lakehouse.sources.postgres.describe import PostgresRelation
from lakehouse.sources.postgres.part import PostgresPart
from lakehouse.sources.postgres.snapshot import Snapshot
from lakehouse.sources.reader import Bound, Look
from lakehouse.sources.relation import CursorKind, SourceRelation

_WORTH_PARTS = 1_000_000  # fewer rows than this are read at once
_KEYS_PER_QUERY = 1_000
_TWICE = timedelta(hours=1)  # that a clock shows when it is set back
_REPETITIVE = """
SELECT attname FROM pg_stats
 WHERE format('%%I.%%I', schemaname, tablename) = format('%%I.%%I', %s, %s) AND n_distinct BETWEEN 1 AND 50000
"""
_HANDED_OUT = """
SELECT coalesce(max((s.seqcache - 1) * (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database())), 0)
  FROM pg_depend d JOIN pg_sequence s ON s.seqrelid = d.objid
  JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
 WHERE d.refobjid = %s::regclass AND a.attname = %s AND d.deptype IN ('a', 'i')
"""


class PostgresReader:
    """See :class:`lakehouse.sources.reader.Reader`; ``floors`` are the highest integers of columns, by source name."""

    def __init__(
        self,
        described: PostgresRelation,
        snapshot: Snapshot,
        connection: Connection,
        zone: str,
        floors: Mapping[str, int],
        doing: str,
    ) -> None:
        self._described, self._snapshot, self._connection = described, snapshot, connection
        self._floors, self._doing, self._zone = floors, doing, zone
        self.relation: SourceRelation = described.relation
        self.options: Mapping[str, str] = {"timezone": zone}

    def floor(self, cursor: str) -> int | None:
        return self._floors.get(self.relation.column(cursor).source_name)

    def slack(self, cursor: str) -> timedelta | int:
        """An hour where moments are a clock's that is set back, and the numbers that sessions may hold of a sequence."""
        column = self.relation.column(cursor)
        if column.cursor is CursorKind.INTEGER:
            return int(self._one(_HANDED_OUT, self._described.sql, column.source_name))
        return timedelta(0) if self._zone.upper() == "UTC" else _TWICE

    def look(self, columns: Sequence[str], bound: Bound | None, *, count_keys: bool) -> Look | None:
        """A hash over place and transaction of each row, whichever column changed, and the number of rows."""
        del columns
        fingerprint = str(self._one(query.fingerprint(self._described, query.where(self._described, bound))))
        keys = int(self._one(f"SELECT count(*) FROM {self._described.sql}")) if count_keys else None
        return Look(fingerprint, keys)

    def look_of(
        self,
        keys: Iterable[pa.RecordBatch],
        rows: Iterable[pa.RecordBatch],
        columns: Sequence[str],
        bound: Bound | None,
    ) -> Look | None:
        """``None``: the session shows one moment, so it is asked itself."""
        del keys, rows, columns, bound
        return None

    def read(
        self, columns: Sequence[str], bound: Bound | None = None, keys: pa.Table | None = None
    ) -> Sequence[PostgresPart]:
        select = query.select(self._described, columns)
        conditions = self._conditions(bound) if keys is None else self._with_keys(keys)
        return [self._part(query.with_conditions(select, [condition])) for condition in conditions]

    def read_keys(self, key: Sequence[str], bound: Bound | None) -> Sequence[PostgresPart]:
        select = query.select_keys(self._described, key, bound)
        pages = query.page_ranges(self._described, self._snapshot.source.parallelism)
        return [self._part(query.with_conditions(select, [page])) for page in pages]

    def repetitive(self) -> tuple[str, ...] | None:
        schema, name = self.relation.name.split(".", 1)
        with translated(self._snapshot.name, self._snapshot.source), self._connection.cursor() as cursor:
            cursor.execute(_REPETITIVE, (schema, name))
            repeating = {row[0] for row in cursor.fetchall()}
        if not repeating:
            return None
        return tuple(column.name for column in self.relation.columns if column.source_name in repeating)

    def _part(self, sql: str) -> PostgresPart:
        return PostgresPart(dsn(self._snapshot.source), self._snapshot.setup, sql, self._doing)

    def _conditions(self, bound: Bound | None) -> list[str | None]:
        """The conditions of the parts in which the rows within ``bound`` are read."""
        within = query.where(self._described, bound)
        pages = query.page_ranges(self._described, self._snapshot.source.parallelism)
        few = within and len(pages) > 1 and self._estimate(within) < _WORTH_PARTS
        return [" AND ".join([*within, *([page] if page else [])]) or None for page in ([None] if few else pages)]

    def _with_keys(self, keys: pa.Table) -> list[str | None]:
        names = keys.column_names
        groups = [keys.slice(start, _KEYS_PER_QUERY) for start in range(0, keys.num_rows, _KEYS_PER_QUERY)]
        rows = [[tuple(row[name] for name in names) for row in group.to_pylist()] for group in groups]
        return [query.with_keys(self._described, names, group) for group in rows]

    def _estimate(self, conditions: Sequence[str]) -> float:
        """How many rows meet ``conditions``, by the source's statistics."""
        every = f"SELECT * FROM {self._described.sql}"
        plan = self._one(f"EXPLAIN (FORMAT JSON) {query.with_conditions(every, conditions)}")
        return float(plan[0]["Plan"]["Plan Rows"])

    def _one(self, sql: str, *values: Any) -> Any:
        with translated(self._snapshot.name, self._snapshot.source), self._connection.cursor() as cursor:
            cursor.execute(sql, values or None)
            row = cursor.fetchone()
            assert row is not None
            return row[0]
