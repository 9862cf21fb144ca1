"""A relation of an API: read page by page, by the moment from which it changed where the API can be asked so."""

from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa

from lakehouse.sources.overlapping import OverlappingReads
from lakehouse.sources.probe import LooksByContent
from lakehouse.sources.reader import Bound, Look, Part
from lakehouse.sources.relation import SourceRelation
from lakehouse.sources.rest.cursors import asked_from
from lakehouse.sources.rest.part import Reading, RestPart, Whole
from lakehouse.sources.rest.settings import Settings


class RestReader(OverlappingReads):
    """See :class:`lakehouse.sources.reader.Reader`.

    What is read without a bound, or where the API cannot be asked for one, is read once and kept for what a load asks next.
    """

    def __init__(self, relation: SourceRelation, reading: Reading, source: Settings, doing: str) -> None:
        self.relation: SourceRelation = relation
        self.options: Mapping[str, str] = {"records": reading.options.records or ""}
        self._reading, self._source, self._doing = reading, source, doing
        self._looks = LooksByContent(relation.key, with_no_cursor=True)
        self._whole = Whole() if reading.shape.cursor else None  # else the looks keep what they read

    def look(self, columns: Sequence[str], bound: Bound | None, *, count_keys: bool) -> Look | None:
        """By content, of a relation that is read as a whole; of what is read by a cursor nothing tells cheaply."""
        del count_keys
        return None if self._reading.shape.cursor else self._looks.look(self, columns, bound)

    def look_of(
        self,
        keys: Iterable[pa.RecordBatch],
        rows: Iterable[pa.RecordBatch],
        columns: Sequence[str],
        bound: Bound | None,
    ) -> Look | None:
        return None if self._reading.shape.cursor else self._looks.look_of(keys, rows, columns, bound)

    def read(self, columns: Sequence[str], bound: Bound | None = None, keys: pa.Table | None = None) -> Sequence[Part]:
        since = self._reading.options.since
        if keys is None and bound is not None and bound.lower is not None and since is not None:
            parameters = {since: asked_from(bound.lower, self._reading.options.since_format)}
            return [RestPart(self._source, self._reading, tuple(columns), self._doing, parameters, bound)]
        kept = self._looks.kept_rows(columns, bound) if keys is None else None
        return [self._of_all(columns, bound=bound, keys=keys)] if kept is None else kept

    def read_keys(self, key: Sequence[str], bound: Bound | None) -> Sequence[Part]:
        """The keys of all rows. None is :data:`COVERED`: another read shows another moment."""
        del bound
        return [self._of_all(key, only_keys=True)]

    def _of_all(
        self,
        columns: Sequence[str],
        bound: Bound | None = None,
        keys: pa.Table | None = None,
        *,
        only_keys: bool = False,
    ) -> RestPart:
        return RestPart(
            self._source,
            self._reading,
            tuple(columns),
            self._doing,
            bound=bound,
            keys=keys,
            only_keys=only_keys,
            whole=self._whole,
        )
