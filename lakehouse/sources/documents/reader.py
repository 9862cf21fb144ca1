"""A collection of documents: read by ranges of ids, since it is shown at no one moment."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.sources.documents.client import ID, Documents, Range
from lakehouse.sources.documents.part import DocumentsPart
from lakehouse.sources.documents.rows import Shape
from lakehouse.sources.documents.settings import Settings
from lakehouse.sources.probe import Digest
from lakehouse.sources.reader import MISFITS, Bound, Look, Part
from lakehouse.sources.relation import CursorKind, SourceRelation

_MOST_KEPT = 256 * 2**20  # bytes of a look that are kept for the load that may follow it


class DocumentsReader:
    """See :class:`lakehouse.sources.reader.Reader`.

    A read by bound brings the documents without a cursor, and those whose cursor is of another type, always: MongoDB compares
    types apart, and mixed types are normal.
    """

    options: Mapping[str, str] = {}

    def __init__(
        self,
        relation: SourceRelation,
        collection: str,
        shape: Shape,
        source: Settings,
        client: Documents,
        doing: str,
    ) -> None:
        self.relation: SourceRelation = relation
        self._collection, self._shape, self._source = collection, shape, source
        self._client, self._doing = client, doing
        self._kept: dict[tuple[Any, ...], Sequence[Part]] = {}
        self._split: Sequence[Range] | None = None

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
        for batch in rows:
            of_rows.add(_within(batch, bound))
        return Look(f"{of_keys} {of_rows}", of_keys.count)

    def read(self, columns: Sequence[str], bound: Bound | None = None, keys: pa.Table | None = None) -> Sequence[Part]:
        if keys is None:
            kept = self._kept.get((tuple(columns), bound))
            return self._parts(columns, bound) if kept is None else kept
        if keys.column_names == [self._name_of_id]:
            return [self._part(columns, Range(), keys=keys)]
        return [self._part(columns, ids, keys=keys) for ids in self._ranges()]

    def read_keys(self, key: Sequence[str], bound: Bound | None) -> Sequence[Part]:
        """The keys of all rows. None is :data:`COVERED`: another read shows another moment."""
        del bound
        kept = self._kept.get((tuple(key),))
        return [self._part(key, ids, only_keys=True) for ids in self._ranges()] if kept is None else kept

    def repetitive(self) -> tuple[str, ...] | None:
        return None

    @property
    def _name_of_id(self) -> str:
        return next(name for name, path in self._shape.paths.items() if path == (ID,))

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

    def _parts(self, columns: Sequence[str], bound: Bound | None) -> list[DocumentsPart]:
        """A read by bound is one query: few documents come, and an index on the cursor serves no range of ids."""
        ranges = self._ranges() if bound is None or bound.lower is None else [Range()]
        return [self._part(columns, ids, bound=bound) for ids in ranges]

    def _part(self, columns: Sequence[str], ids: Range, **more: Any) -> DocumentsPart:
        return DocumentsPart(
            self._source, self._collection, self._shape, tuple(columns), ids, self._doing, client=self._client, **more
        )

    def _ranges(self) -> Sequence[Range]:
        if self._split is None:
            self._split = self._client.ranges(self._collection, self._source.parallelism)
        return self._split


def _within(batch: pa.RecordBatch, bound: Bound | None) -> pa.RecordBatch:
    """The rows that a read from the lower side of ``bound`` on would bring: those without a typed cursor, too."""
    if bound is None or bound.lower is None:
        return batch
    cursor = batch.column(bound.cursor)
    return batch.filter(pc.fill_null(pc.greater_equal(cursor, pa.scalar(bound.lower, cursor.type)), True))


@dataclass(frozen=True)
class _KeptPart:
    """What a look has read already."""

    found: Sequence[pa.RecordBatch] = field(repr=False)

    def batches(self) -> Iterator[pa.RecordBatch]:
        yield from self.found
