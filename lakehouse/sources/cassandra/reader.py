"""A table of Cassandra: read by token range, since it has neither a snapshot nor an order of change."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from lakehouse.sources.cassandra.part import CassandraPart
from lakehouse.sources.cassandra.schema import CassandraTable
from lakehouse.sources.cassandra.settings import Settings
from lakehouse.sources.cassandra.token_ranges import split
from lakehouse.sources.overlapping import OverlappingReads
from lakehouse.sources.probe import LooksByContent
from lakehouse.sources.reader import Bound, Look, Part
from lakehouse.sources.relation import SourceRelation


class CassandraReader(OverlappingReads):
    """See :class:`lakehouse.sources.reader.Reader`."""

    options: Mapping[str, str] = {}

    def __init__(self, table: CassandraTable, source: Settings, session: Any, doing: str) -> None:
        self._table, self._source, self._session, self._doing = table, source, session, doing
        self._looks = LooksByContent(table.relation.key)
        self.relation: SourceRelation = table.relation

    def look(self, columns: Sequence[str], bound: Bound | None, *, count_keys: bool) -> Look | None:
        """By content; keys are counted, asked or not."""
        del count_keys
        return self._looks.look(self, columns, bound)

    def look_of(
        self,
        keys: Iterable[pa.RecordBatch],
        rows: Iterable[pa.RecordBatch],
        columns: Sequence[str],
        bound: Bound | None,
    ) -> Look:
        return self._looks.look_of(keys, rows, columns, bound)

    def read(self, columns: Sequence[str], bound: Bound | None = None, keys: pa.Table | None = None) -> Sequence[Part]:
        kept = self._looks.kept_rows(columns, bound) if keys is None else None
        return self._parts(columns, bound, keys, only_keys=False) if kept is None else kept

    def read_keys(self, key: Sequence[str], bound: Bound | None) -> Sequence[Part]:
        """The keys of all rows. None is :data:`COVERED`: another read shows another moment."""
        del bound
        kept = self._looks.kept_keys(key)
        return self._parts(key, None, None, only_keys=True) if kept is None else kept

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
