"""Reads a relation of an API as Arrow, page by page."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from lakehouse.errors import SourceError
from lakehouse.sources.overlapping import RowsOf, uncovered
from lakehouse.sources.probe import MOST_KEPT, within
from lakehouse.sources.reader import MISFITS, Bound
from lakehouse.sources.rest.client import Client
from lakehouse.sources.rest.options import Options
from lakehouse.sources.rest.pages import Pages
from lakehouse.sources.rest.rows import Presence, Shape
from lakehouse.sources.rest.settings import Settings


@dataclass(frozen=True)
class Reading:
    """How a relation is read.

    Attributes:
        path: from the profile's address on.
    """

    path: str
    options: Options
    shape: Shape


@dataclass
class Whole:
    """All records of a relation, read once in a load: kept as far as they are not too many."""

    pages: list[list[bytes]] | None = None


@dataclass(frozen=True)
class RestPart:
    """A read.

    Attributes:
        columns: lake names.
        parameters: what the API is asked by, besides the place of a page.
        bound: by the cursor's lake name.
        keys: only the rows with these keys (columns by lake names, some of ``columns``); absent: all.
        only_keys: whether it is a read of keys: then :data:`COVERED` takes the place of what fits no type.
        whole: where all records are kept, where all are read; an executor keeps none.
    """

    source: Settings = field(repr=False)
    reading: Reading
    columns: tuple[str, ...]
    doing: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    bound: Bound | None = None
    keys: pa.Table | None = field(default=None, repr=False)
    only_keys: bool = False
    whole: Whole | None = field(default=None, repr=False, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "whole": None}

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows, a batch for each page.

        Raises:
            SourceUnavailableError: the API is away, or its pages moved while they were read.
            SourceError: it refused, or none of its records has a field that the registry declares.
        """
        shape = self.reading.shape
        rows = RowsOf(self.keys)
        for records in self._pages():
            batch = within(shape.batch(records), self.bound, with_no_cursor=True)
            if self.only_keys:
                yield uncovered(batch, self.columns)
            else:
                yield rows.among(batch).select([*self.columns, MISFITS])

    def _pages(self) -> Iterator[list[bytes]]:
        if self.whole is not None and self.whole.pages is not None:
            yield from self.whole.pages
            return
        kept: list[list[bytes]] | None = None if self.whole is None else []
        size = 0
        for records in self._checked(self._asked()):
            if kept is not None:
                size += sum(map(len, records))
                kept.append(records)
                kept = kept if size <= MOST_KEPT else None
            yield records
        if self.whole is not None:
            self.whole.pages = kept

    def _asked(self) -> Iterator[list[bytes]]:
        client, reading = Client(self.source, self.doing), self.reading
        try:
            key_of = reading.shape.key_of
            yield from Pages(client, reading.path, reading.options, self.parameters, key_of, self.doing)
        finally:
            client.close()

    def _checked(self, pages: Iterable[list[bytes]]) -> Iterator[list[bytes]]:
        """``pages``; at their end it is told where none of the records had a field."""
        may_lack = self.reading.options.may_lack
        presence = Presence([source for source in self.reading.shape.names.values() if source not in may_lack])
        for records in pages:
            presence.add(records)
            yield records
        if vanished := presence.vanished():
            raise SourceError(
                f"{self.doing}: none of the {presence.records:,} records of {self.reading.path} has {', '.join(vanished)}; "
                "expected what the registry file declares. Going on would lose it.",
                remedy="Where records may lack a field, name it in `sparse` under `options`; where it is gone for good, write "
                "`dropped: true` for its column; where it was renamed, `source:`.",
            )
