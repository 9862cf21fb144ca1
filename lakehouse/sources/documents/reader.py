"""A collection of documents: read by ranges of ids, since it is shown at no one moment."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from lakehouse.sources.documents.client import ID, Documents, Range
from lakehouse.sources.documents.part import DocumentsPart
from lakehouse.sources.documents.rows import Shape
from lakehouse.sources.documents.settings import Settings
from lakehouse.sources.overlapping import OverlappingReads
from lakehouse.sources.probe import LooksByContent
from lakehouse.sources.reader import Bound, Look, Part
from lakehouse.sources.relation import SourceRelation


class DocumentsReader(OverlappingReads):
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
        self._looks = LooksByContent(relation.key, with_no_cursor=True)
        self._split: Sequence[Range] | None = None

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
        if keys is None:
            kept = self._looks.kept_rows(columns, bound)
            return self._parts(columns, bound) if kept is None else kept
        if keys.column_names == [self._name_of_id]:
            return [self._part(columns, Range(), keys=keys)]
        return [self._part(columns, ids, keys=keys) for ids in self._ranges()]

    def read_keys(self, key: Sequence[str], bound: Bound | None) -> Sequence[Part]:
        """The keys of all rows. None is :data:`COVERED`: another read shows another moment."""
        del bound
        kept = self._looks.kept_keys(key)
        return [self._part(key, ids, only_keys=True) for ids in self._ranges()] if kept is None else kept

    @property
    def _name_of_id(self) -> str:
        return next(name for name, path in self._shape.paths.items() if path == (ID,))

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
