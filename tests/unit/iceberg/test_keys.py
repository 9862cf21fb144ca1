"""Rows paired and compared as Spark's `<=>` has it, against plain Python."""

from decimal import Decimal
from math import nan
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.iceberg.keys import alike, positions

SCHEMA = pa.schema({"a": pa.int64(), "b": pa.string(), "c": pa.decimal128(8, 2)})
Row = tuple[int | None, str | None, Decimal | None]
rows = st.lists(
    st.tuples(
        st.sampled_from([None, 0, -1, 2**62]) | st.sampled_from([None, 3, 4, -7]),
        st.sampled_from([None, "", "a"]),
        st.sampled_from([None, Decimal("1.50")]),
    ),
    max_size=12,
)


def table(content: list[Row], chunks: int = 1) -> pa.Table:
    """The rows, in so many chunks."""
    made = pa.Table.from_pylist([dict(zip(SCHEMA.names, row, strict=True)) for row in content], schema=SCHEMA)
    size = -(-len(content) // chunks)
    return pa.concat_tables([made.slice(at, size) for at in range(0, len(content), size)]) if size else made


@given(rows, rows, st.integers(1, 3), st.integers(1, 3))
def test_each_row_is_found_at_the_first_of_its_key(left: list[Row], right: list[Row], width: int, chunks: int) -> None:
    first: dict[Any, int] = {}
    for place, row in enumerate(right):
        first.setdefault(row[:width], place)
    found = positions(table(left, chunks), table(right, chunks), SCHEMA.names[:width])
    assert found.to_pylist() == [first.get(row[:width]) for row in left]


def test_many_columns_of_many_values_stay_within_64_bits() -> None:
    names = [f"k{number}" for number in range(6)]
    values = pa.table({name: pa.array(range(5_000)) for name in names})
    assert positions(values, values, names).to_pylist() == list(range(5_000))


@pytest.mark.parametrize("kind", [pa.float64(), pa.float32()])
def test_null_is_null_and_nan_is_nan_in_keys_and_in_contents(kind: pa.DataType) -> None:
    here = pa.table({"x": pa.array([None, nan, nan, None, 1.0, 0.0], kind)})
    there = pa.table({"x": pa.array([None, nan, 1.0, 1.0, None, -0.0], kind)})
    assert alike(here, there).to_pylist() == [True, True, False, False, False, True]
    assert positions(here, there, ["x"]).to_pylist()[:5] == [0, 1, 1, 0, 2]


@given(rows, rows)
def test_rows_are_alike_where_every_column_is(left: list[Row], right: list[Row]) -> None:
    pairs = list(zip(left, right, strict=False))
    found = alike(table([one for one, _ in pairs]), table([other for _, other in pairs]))
    assert found.to_pylist() == [one == other for one, other in pairs]
