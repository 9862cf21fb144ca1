"""Reads a range of a collection as Arrow."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa

from lakehouse.sources.documents.client import ID, Asked, Documents, Range, connect
from lakehouse.sources.documents.rows import Shape
from lakehouse.sources.documents.settings import Settings
from lakehouse.sources.reader import COVERED, MISFITS, Bound


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

    def __reduce__(self) -> tuple[Any, ...]:
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return _made, ({**values, "client": None},)

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
        wanted = {tuple(row.values()) for row in self.keys.to_pylist()} if self.keys is not None else set()
        for documents in client.find(self.collection, self._asked(), fields):
            batch = self.shape.batch(documents, self.columns)
            if self.only_keys:
                keys = batch.drop_columns([MISFITS])
                yield keys.append_column(COVERED, pa.repeat(pa.scalar(False), batch.num_rows))
            else:
                yield batch if self.keys is None else self._of_keys(batch, self.keys.column_names, wanted)

    def _asked(self) -> Asked:
        """By id where the key is the id; a key of other fields is looked for among all documents."""
        if self.keys is not None:
            names = self.keys.column_names
            is_id = len(names) == 1 and self.shape.paths[names[0]] == (ID,)
            return Asked(ids=self.keys.column(0).to_pylist()) if is_id else Asked(self.range)
        bound = self.bound and replace(self.bound, cursor=".".join(self.shape.paths[self.bound.cursor]))
        return Asked(self.range, bound)

    def _of_keys(self, batch: pa.RecordBatch, names: Sequence[str], wanted: set[tuple[Any, ...]]) -> pa.RecordBatch:
        found = [tuple(row.values()) in wanted for row in batch.select(names).to_pylist()]
        return batch.filter(pa.array(found, pa.bool_()))


def _made(values: dict[str, Any]) -> DocumentsPart:
    return DocumentsPart(**values)
