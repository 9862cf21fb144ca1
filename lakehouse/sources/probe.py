"""A fingerprint of a relation by its content, computed alike from what its source sends and from what raw holds."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.sources.reader import MISFITS, Bound, Look, Part

#: Bytes of a look that are kept for the load that may follow it.
MOST_KEPT = 256 * 2**20

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


class Reads(Protocol):
    """What a reader does that is looked at by content."""

    def read(self, columns: Sequence[str], bound: Bound | None = None) -> Sequence[Part]: ...
    def read_keys(self, key: Sequence[str], bound: Bound | None) -> Sequence[Part]: ...


class LooksByContent:
    """The looks at one relation whose source cannot tell cheaply whether its rows changed: all of them are read.

    Args:
        key: the relation's.
        with_no_cursor: whether a read within a bound brings the rows without a cursor, too.
    """

    def __init__(self, key: Sequence[str], *, with_no_cursor: bool = False) -> None:
        self._key, self._with_no_cursor = tuple(key), with_no_cursor
        self._kept: dict[tuple[Any, ...], Sequence[Part]] = {}

    def look(self, reader: Reads, columns: Sequence[str], bound: Bound | None) -> Look:
        """Sums of hashes over the rows, and then over the keys. Both are read, and kept for the load that may follow.

        The rows first: a row that comes between the two is one to be read yet, where it would otherwise seem gone.
        """
        rows, keys = Digest([*columns, MISFITS]), Digest(self._key)
        holds_keys = bound is None and set(self._key) <= set(columns)
        self._add((tuple(columns), bound), reader.read(columns, bound), [rows, keys] if holds_keys else [rows])
        if not holds_keys:
            self._add((self._key,), reader.read_keys(self._key, None), [keys])
        return Look(f"{keys} {rows}", keys.count)

    def look_of(
        self,
        keys: Iterable[pa.RecordBatch],
        rows: Iterable[pa.RecordBatch],
        columns: Sequence[str],
        bound: Bound | None,
    ) -> Look:
        """See :meth:`lakehouse.sources.reader.Reader.look_of`."""
        of_keys, of_rows = Digest(self._key), Digest([*columns, MISFITS])
        for batch in keys:
            of_keys.add(batch)
        for batch in rows:
            of_rows.add(within(batch, bound, with_no_cursor=self._with_no_cursor))
        return Look(f"{of_keys} {of_rows}", of_keys.count)

    def kept_rows(self, columns: Sequence[str], bound: Bound | None) -> Sequence[Part] | None:
        """What a look has read of the rows; ``None`` where there was none, or it was too much."""
        return self._kept.get((tuple(columns), bound))

    def kept_keys(self, key: Sequence[str]) -> Sequence[Part] | None:
        """The same of the keys."""
        return self._kept.get((tuple(key),))

    def _add(self, what: tuple[Any, ...], parts: Sequence[Part], digests: Sequence[Digest]) -> None:
        """Add what ``parts`` bring to ``digests``, and keep it unless it is too much."""
        found: list[pa.RecordBatch] = []
        size = 0
        for batch in (batch for part in parts for batch in part.batches()):
            for digest in digests:
                digest.add(batch)
            size += batch.nbytes
            found.append(batch)
            if size > MOST_KEPT:
                found.clear()
        if size <= MOST_KEPT:
            self._kept[what] = [_KeptPart(found)]


@dataclass(frozen=True)
class _KeptPart:
    """What a look has read already."""

    found: Sequence[pa.RecordBatch] = field(repr=False)

    def batches(self) -> Iterator[pa.RecordBatch]:
        yield from self.found


def within(batch: pa.RecordBatch, bound: Bound | None, *, with_no_cursor: bool) -> pa.RecordBatch:
    """Those of the rows that are within ``bound``, and those without a cursor if asked for."""
    if bound is None or (bound.lower is None and bound.upper is None):
        return batch
    cursor = batch.column(bound.cursor)
    inside = pa.repeat(pa.scalar(True), batch.num_rows)
    if bound.lower is not None:
        inside = pc.and_(inside, pc.greater_equal(cursor, pa.scalar(bound.lower, cursor.type)))
    if bound.upper is not None:
        inside = pc.and_(inside, pc.less(cursor, pa.scalar(bound.upper, cursor.type)))
    return batch.filter(pc.fill_null(inside, with_no_cursor))


def _text(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_timestamp(kind):
        column = column.cast(pa.int64())
    elif pa.types.is_date32(kind):
        column = column.cast(pa.int32())
    return column if pa.types.is_binary(kind) else column.cast(pa.string()).cast(pa.binary())
