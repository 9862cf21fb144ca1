"""A table of Cassandra: read by token range, since it has neither a snapshot nor an order of change."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pyarrow as pa

from lakehouse.sources.cassandra.part import CassandraPart
from lakehouse.sources.cassandra.schema import CassandraTable
from lakehouse.sources.cassandra.settings import Settings
from lakehouse.sources.cassandra.token_ranges import split
from lakehouse.sources.probe import Digest, within
from lakehouse.sources.reader import MISFITS, Bound, Look, Part
from lakehouse.sources.relation import CursorKind, SourceRelation

_MOST_KEPT = 256 * 2**20  # bytes of a look that are kept for the load that may follow it


class CassandraReader:
    """See :class:`lakehouse.sources.reader.Reader`."""

    options: Mapping[str, str] = {}

    def __init__(self, table: CassandraTable, source: Settings, session: Any, doing: str) -> None:
        self._table, self._source, self._session, self._doing = table, source, session, doing
        self._kept: dict[tuple[Any, ...], Sequence[Part]] = {}
        self.relation: SourceRelation = table.relation

    def floor(self, cursor: str) -> int | None:
        """``None``: what is visible is all that there is."""
        del cursor
        return None

    def slack(self, cursor: str) -> timedelta | int:
        return 0 if self.relation.column(cursor).cursor is CursorKind.INTEGER else timedelta(0)

    def look(self, columns: Sequence[str], bound: Bound | None, *, count_keys: bool) -> Look | None:
        """Sums of hashes over the rows, and then over the keys. Both are read, and kept for the load that may follow.

        The rows first: a row that comes between the two is one to be read yet, where it would otherwise seem gone.
        """
        del count_keys
        key = self.relation.key
        rows, keys = Digest([*columns, MISFITS]), Digest(key)
        holds_keys = bound is None and set(key) <= set(columns)
        self._look((tuple(columns), bound), self.read(columns, bound), [rows, keys] if holds_keys else [rows])
        if not holds_keys:
            self._look((key,), self.read_keys(key, None), [keys])
        return Look(f"{keys} {rows}", keys.count)

    def look_of(
        self,
        keys: Iterable[pa.RecordBatch],
        rows: Iterable[pa.RecordBatch],
        columns: Sequence[str],
        bound: Bound | None,
    ) -> Look:
        of_keys, of_rows = Digest(self.relation.key), Digest([*columns, MISFITS])
        for batch in keys:
            of_keys.add(batch)
        for batch in within(rows, bound):
            of_rows.add(batch)
        return Look(f"{of_keys} {of_rows}", of_keys.count)

    def read(self, columns: Sequence[str], bound: Bound | None = None, keys: pa.Table | None = None) -> Sequence[Part]:
        kept = self._kept.get((tuple(columns), bound)) if keys is None else None
        return self._parts(columns, bound, keys, only_keys=False) if kept is None else kept

    def read_keys(self, key: Sequence[str], bound: Bound | None) -> Sequence[Part]:
        """The keys of all rows. None is :data:`COVERED`: another read shows another moment."""
        del bound
        kept = self._kept.get((tuple(key),))
        return self._parts(key, None, None, only_keys=True) if kept is None else kept

    def repetitive(self) -> tuple[str, ...] | None:
        return None

    def _look(self, what: tuple[Any, ...], parts: Sequence[Part], digests: Sequence[Digest]) -> None:
        """Add what ``parts`` bring to ``digests``, and keep it unless it is too much."""
        found: list[pa.RecordBatch] = []
        size = 0
        for batch in (batch for part in parts for batch in part.batches()):
            for digest in digests:
                digest.add(batch)
            size += batch.nbytes
            found.append(batch)
            if size > _MOST_KEPT:
                found.clear()
        if size <= _MOST_KEPT:
            self._kept[what] = [_KeptPart(found)]

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


@dataclass(frozen=True)
class _KeptPart:
    """What a look has read already."""

    found: Sequence[pa.RecordBatch] = field(repr=False)

    def batches(self) -> Iterator[pa.RecordBatch]:
        yield from self.found
