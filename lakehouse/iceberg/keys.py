"""Rows of Arrow tables compared and paired by a key. As Spark's ``<=>`` has it, NULL equals NULL and NaN equals NaN."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

#: Numbers that lie so close together are looked up by their place in an array.
_DENSE = 2**23

Numbers = np.ndarray[Any, np.dtype[np.int64]]


class Keys:
    """The rows of a table by their key, made ready for many batches in which they are looked for.

    Values are numbered column by column. A batch is narrowed down after each of them to the rows whose values so far
    stand together in the table.
    """

    def __init__(self, among: pa.Table) -> None:
        """``among`` has the columns of the key."""
        self._values = [_Values(_array(column)) for column in among.columns]
        codes = self._values[0].codes
        self._together: list[_Values] = []
        for values in self._values[1:]:
            together = _Values(pa.array(codes * values.count + values.codes))
            self._together.append(together)
            codes = together.codes
        self._first = np.zeros(codes.max(initial=-1) + 1, np.int64)
        self._first[codes[::-1]] = np.arange(len(codes))[::-1]

    def find(self, columns: Sequence[pa.Array]) -> tuple[Numbers, Numbers]:
        """The places of the rows that have a key of the table, in order, and for each the first row of the table with it.

        Args:
            columns: of the rows, in the types of the table's.
        """
        here, codes = self._values[0].find(columns[0])
        for values, together, column in zip(self._values[1:], self._together, columns[1:], strict=True):
            rows = column if len(here) == len(column) else column.take(pa.array(here))
            found, more = values.find(rows)
            pairs = codes[found] * values.count + more
            kept, codes = together.find(pa.array(pairs))
            here = here[found][kept]
        return here, self._first[codes]


class _Values:
    """The different values of a column, numbered from 0; NULL is one."""

    def __init__(self, column: pa.Array) -> None:
        known = pc.unique(column)
        self.count = max(1, len(known))
        self._known, self._dense, self._low, self._null = known, None, 0, -1
        whole = _as_whole(known)
        if whole is not None and len(known) > known.null_count:
            ends = pc.min_max(whole).as_py()
            if ends["max"] - ends["min"] < _DENSE:
                self._low = ends["min"]
                self._dense = np.full(ends["max"] - self._low + 1, -1, np.int64)
                valid = np.flatnonzero(np.asarray(whole.is_valid()))
                self._dense[_numbers(whole)[valid] - self._low] = valid
                self._null = int(pc.index(known.is_null(), pa.scalar(True)).as_py())
        #: The number of each row of the column.
        self.codes: Numbers = self.find(column)[1]

    def find(self, column: pa.Array) -> tuple[Numbers, Numbers]:
        """The places of the rows of ``column`` with one of the values, and the number of each."""
        if self._dense is None:
            found = pc.index_in(column, value_set=self._known)
            here = np.flatnonzero(np.asarray(found.is_valid()))
            return here, np.asarray(found.drop_null()).astype(np.int64)
        whole = _as_whole(column)
        assert whole is not None
        away = _numbers(whole) - self._low
        inside = (away >= 0) & (away < len(self._dense))
        codes = np.where(inside, self._dense[np.where(inside, away, 0)], -1)
        if whole.null_count:
            codes[np.asarray(whole.is_null())] = self._null
        here = np.flatnonzero(codes >= 0)
        return here, codes[here]


def _as_whole(values: pa.Array) -> pa.Array | None:
    """Whole numbers, days and moments as int64; ``None`` of other types."""
    if pa.types.is_date32(values.type):
        values = values.view(pa.int32())
    elif pa.types.is_timestamp(values.type):
        values = values.view(pa.int64())
    return values.cast(pa.int64()) if pa.types.is_signed_integer(values.type) else None


def _numbers(whole: pa.Array) -> Numbers:
    """An array of int64, with 0 for NULL."""
    return np.asarray(whole.fill_null(0) if whole.null_count else whole)


def positions(rows: pa.Table, among: pa.Table, key: Sequence[str]) -> pa.Array:
    """For each of ``rows`` where in ``among`` the first row of the same ``key`` stands (int64); NULL where there is none.

    The columns of the key have the same types on both sides.
    """
    here, there = Keys(among.select(key)).find([_array(rows.column(name)) for name in key])
    found = np.full(rows.num_rows, -1, np.int64)
    found[here] = there
    return pa.array(found, mask=found < 0)


def alike(left: pa.Table, right: pa.Table) -> pa.Array:
    """Whether the rows at the same places are alike in every column of ``left``; no NULL among the answers."""
    same = pa.repeat(pa.scalar(True), left.num_rows)
    for name in left.column_names:
        same = pc.and_(same, _same(_array(left.column(name)), _array(right.column(name))))
    return same


def _same(left: pa.Array, right: pa.Array) -> pa.Array:
    equal = pc.equal(left, right)
    if pa.types.is_floating(left.type):
        equal = pc.or_(equal, pc.and_(pc.is_nan(left), pc.is_nan(right)))
    return pc.fill_null(equal, pc.and_(pc.is_null(left), pc.is_null(right)))


def _array(column: pa.ChunkedArray) -> pa.Array:
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
