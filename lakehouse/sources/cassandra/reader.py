"""A table of Cassandra: read by token range, since it has neither a snapshot nor an order of change."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame

from lakehouse.sources.cassandra import probe
from lakehouse.sources.cassandra.part import CassandraPart
from lakehouse.sources.cassandra.schema import CassandraTable
from lakehouse.sources.cassandra.settings import Settings
from lakehouse.sources.cassandra.token_ranges import split
from lakehouse.sources.reader import Bound, Look
from lakehouse.sources.relation import CursorKind, SourceRelation


class CassandraReader:
    """See :class:`lakehouse.sources.reader.Reader`."""

    options: Mapping[str, str] = {}

    def __init__(self, table: CassandraTable, source: Settings, session: Any, doing: str) -> None:
        self._table, self._source, self._session, self._doing = table, source, session, doing
        self.relation: SourceRelation = table.relation

    def floor(self, cursor: str) -> int | None:
        """``None``: what is visible is all that there is."""
        del cursor
        return None

    def slack(self, cursor: str) -> timedelta | int:
        return 0 if self.relation.column(cursor).cursor is CursorKind.INTEGER else timedelta(0)

    def look(self, columns: Sequence[str], bound: Bound | None, *, count_keys: bool) -> Look | None:
        """Sums of hashes over the rows, which the driver reads; ``None`` where a column is a floating-point number."""
        del count_keys
        if not probe.has_fingerprint(self._table, columns):
            return None
        return probe.of_source(self._session, self._source, self._table, columns, bound)

    def look_of(self, rows: DataFrame, columns: Sequence[str], bound: Bound | None) -> Look | None:
        if not probe.has_fingerprint(self._table, columns) or not set(self.relation.key) <= set(rows.columns):
            return None
        return probe.of_rows(rows, self.relation.key, columns, bound)

    def read(
        self, columns: Sequence[str], bound: Bound | None = None, keys: pa.Table | None = None
    ) -> Sequence[CassandraPart]:
        return self._parts(columns, bound, keys, only_keys=False)

    def read_keys(self, key: Sequence[str], bound: Bound | None) -> Sequence[CassandraPart]:
        """The keys of all rows. None is :data:`COVERED`: another read shows another moment."""
        del bound
        return self._parts(key, None, None, only_keys=True)

    def repetitive(self) -> tuple[str, ...] | None:
        return None

    def _parts(
        self, columns: Sequence[str], bound: Bound | None, keys: pa.Table | None, *, only_keys: bool
    ) -> list[CassandraPart]:
        token_map = self._session.cluster.metadata.token_map
        ring = [token.value for token in token_map.ring] if token_map else []
        return [
            CassandraPart(
                self._source, self._table, tuple(columns), ranges, self._doing, bound, keys, only_keys, self._session
            )
            for ranges in split(ring, self._source.splits)
        ]
