"""Reads a range of a collection as Arrow."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa

from lakehouse.sources.documents.client import ID, Asked, Documents, Range, connect
from lakehouse.sources.documents.rows import Shape
from lakehouse.sources.documents.settings import Settings
from lakehouse.sources.overlapping import RowsOf, uncovered
from lakehouse.sources.reader import Bound


@dataclass(frozen=True)
class DocumentsPart:
    """A range of a read.

    Attributes:
        columns: lake names.
        bound: by the cursor's lake name.
        keys: only the rows with these keys (columns by lake names, some of ``columns``); absent: all.
        only_keys: whether it is a read of keys: then :data:`COVERED` takes the place of what fits no type.
        client: of the driver, where it is read by a thread; an executor connects itself.
    """

    source: Settings = field(repr=False)
    collection: str
    shape: Shape
    columns: tuple[str, ...]
    range: Range
    doing: str
    bound: Bound | None = None
    keys: pa.Table | None = field(default=None, repr=False)
    only_keys: bool = False
    client: Documents | None = field(default=None, repr=False, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "client": None}

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows, a batch for each one that the server sends.

        Raises:
            SourceUnavailableError: the server is away.
            SourceError: it refused.
        """
        if self.client is not None:
            yield from self._batches(self.client)
            return
        with connect(self.source, self.doing) as client:
            yield from self._batches(client)

    def _batches(self, client: Documents) -> Iterator[pa.RecordBatch]:
        fields = self.shape.fields(self.columns)
        rows = RowsOf(self.keys)
        for documents in client.find(self.collection, self._asked(), fields):
            batch = self.shape.batch(documents, self.columns)
            yield uncovered(batch, self.columns) if self.only_keys else rows.among(batch)

    def _asked(self) -> Asked:
        """By id where the key is the id; a key of other fields is looked for among all documents."""
        if self.keys is not None:
            names = self.keys.column_names
            is_id = len(names) == 1 and self.shape.paths[names[0]] == (ID,)
            return Asked(ids=self.keys.column(0).to_pylist()) if is_id else Asked(self.range)
        bound = self.bound and replace(self.bound, cursor=".".join(self.shape.paths[self.bound.cursor]))
        return Asked(self.range, bound)
