"""A fingerprint of a table, computed alike from what Cassandra sends and from what raw holds."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.sources.reader import Bound

_BETWEEN, _NULL = b"\x1f", b"\x00"
_BYTES = 8  # of the MD5 that are summed


class Digest:
    """Count and sum of hashes of rows, whatever their order.

    Args:
        columns: those of which a change matters; NULL, text and bytes as they are, all else by its number.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = tuple(columns)
        self._sum = self.count = 0

    def add(self, rows: pa.RecordBatch) -> None:
        self.count += rows.num_rows
        texts = [_text(rows.column(name)) for name in self._columns]
        joined = pc.binary_join_element_wise(*texts, _BETWEEN, null_handling="replace", null_replacement=_NULL)
        md5, number = hashlib.md5, int.from_bytes
        self._sum += sum(number(md5(text, usedforsecurity=False).digest()[:_BYTES]) for text in joined.to_pylist())

    def __str__(self) -> str:
        return f"{self.count}:{self._sum}"


def within(rows: Iterable[pa.RecordBatch], bound: Bound | None) -> Iterator[pa.RecordBatch]:
    """Those of ``rows`` that are from the lower side of ``bound`` on."""
    for batch in rows:
        if bound is None or bound.lower is None:
            yield batch
        else:
            cursor = batch.column(bound.cursor)
            yield batch.filter(pc.greater_equal(cursor, pa.scalar(bound.lower, cursor.type)))


def _text(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_timestamp(kind):
        column = column.cast(pa.int64())
    elif pa.types.is_date32(kind):
        column = column.cast(pa.int32())
    return column if pa.types.is_binary(kind) else column.cast(pa.string()).cast(pa.binary())
