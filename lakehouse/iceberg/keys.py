"""Rows of Arrow tables compared and paired by a key. As Spark's ``<=>`` has it, NULL equals NULL and NaN equals NaN."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc


def positions(rows: pa.Table, among: pa.Table, key: Sequence[str]) -> pa.Array:
    """For each of ``rows`` where in ``among`` the first row of the same ``key`` stands (int64); NULL where there is none.

    The columns of the key have the same types on both sides.
    """
    here, there = _codes(rows, among, key[0])
    for name in key[1:]:
        here_next, there_next = _codes(rows, among, name)
        factor = pa.scalar(max(1, among.num_rows), pa.int64())
        here = pc.add(pc.multiply(here, factor), here_next)
        there = pc.add(pc.multiply(there, factor), there_next)
        known = pc.unique(there)  # numbered anew, so that the next product stays within 64 bits
        here, there = _index(here, known), _index(there, known)
    return _index(here, there)


def _codes(rows: pa.Table, among: pa.Table, name: str) -> tuple[pa.Array, pa.Array]:
    """A column's values on both sides, numbered alike; NULL where ``among`` does not have the value."""
    values = _array(among.column(name))
    known = pc.unique(values)
    return _index(_array(rows.column(name)), known), _index(values, known)


def _index(values: pa.Array, known: pa.Array) -> pa.Array:
    return pc.index_in(values, value_set=known).cast(pa.int64())


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
