"""Cells as Cassandra sends them as Arrow: values, and what fits no type of the lake."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pyarrow as pa
import pytest
from cassandra.cqltypes import DecimalType
from cassandra.util import Date, Time
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.sources.cassandra.arrow import to_batch
from lakehouse.sources.cassandra.schema import CassandraTable
from tests.unit.sources.cassandra.fakes import sent, table

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST, LAST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


def batch_of(described: CassandraTable, columns: list[str], *rows: tuple[Any, ...]) -> pa.RecordBatch:
    return to_batch(list(zip(*sent(described, columns, rows), strict=True)), described, columns)


def values(kind: str, *cells: Any) -> tuple[list[Any], list[Any]]:
    """A column of that CQL type as it arrives, and the misfits of its rows."""
    batch = batch_of(table(c=kind), ["c"], *((cell,) for cell in cells))
    misfits = [None if text is None else json.loads(text) for text in batch.column("_misfits").to_pylist()]
    return batch.column("c").to_pylist(), misfits


@pytest.mark.parametrize(
    ("kind", "cell", "expected"),
    [
        ("int", -5, -5),
        ("smallint", -(2**15), -(2**15)),
        ("tinyint", -128, -128),
        ("bigint", 2**63 - 1, 2**63 - 1),
        ("float", -0.5, -0.5),
        ("double", 0.5, 0.5),
        ("boolean", False, False),
        ("blob", b"\x00\xff", b"\x00\xff"),
        ("text", "", ""),
        ("text", "größe\n", "größe\n"),
        ("uuid", UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ("timeuuid", UUID("0a1b2c3d-4e5f-11ee-8c99-0242ac120002"), "0a1b2c3d-4e5f-11ee-8c99-0242ac120002"),
        ("decimal", Decimal("1.50"), "1.50"),
        ("varint", 10**50, "1" + "0" * 50),
        ("time", Time("10:11:12.5"), "10:11:12.500000000"),
        ("inet", "10.0.0.1", "10.0.0.1"),
        ("inet", "2001:db8::1", "2001:db8::1"),
        ("list<int>", "[1, 2]", "[1, 2]"),
        ("timestamp", 1, EPOCH + _MS),
        ("date", Date(date(2026, 1, 31)), date(2026, 1, 31)),
    ],
)
def test_a_value_arrives_as_its_lake_type_and_null_as_null(kind: str, cell: Any, expected: Any) -> None:
    assert values(kind, cell, None) == ([expected, None], [None, None])


@pytest.mark.parametrize("kind", ["int", "boolean", "timestamp", "date", "uuid", "decimal", "varint", "inet"])
def test_an_empty_cell_of_a_type_that_has_no_empty_value_is_null(kind: str) -> None:
    """Cassandra takes one for each type, and the driver reads it so."""
    assert to_batch([[b"", None]], table(c=kind), ["c"]).column("c").to_pylist() == [None, None]


@given(st.uuids())
def test_each_uuid_is_written_as_python_writes_it(value: UUID) -> None:
    assert values("uuid", value, None, value) == ([str(value), None, str(value)], [None] * 3)


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_each_decimal_is_written_as_python_writes_what_the_driver_reads(value: Decimal) -> None:
    read = DecimalType.deserialize(DecimalType.serialize(value, 4), 4)
    assert values("decimal", value) == ([str(read)], [None])


@given(st.data(), st.integers(0, 9))
def test_decimals_are_written_as_python_writes_them_with_any_null_between(
    data: st.DataObject, most_places: int
) -> None:
    numbers = st.integers(-(2**63), 2**63 - 1) | st.integers(-200, 200)
    decimals = st.builds(lambda number, places: Decimal(f"{number}E-{places}"), numbers, st.integers(0, most_places))
    rows = data.draw(st.lists(st.none() | decimals, min_size=1))
    assert values("decimal", *rows) == ([None if row is None else str(row) for row in rows], [None] * len(rows))


@given(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1)))
def test_numbers_arrive_as_they_are_with_any_null_between(numbers: list[int | None]) -> None:
    assert values("bigint", *numbers, 0) == ([*numbers, 0], [None] * (len(numbers) + 1))


def test_a_collection_without_an_element_is_null() -> None:
    """Cassandra cannot tell it from one that was never set, and writes both as JSON null."""
    assert values("set<text>", "null", '["null"]') == ([None, '["null"]'], [None, None])


@given(st.datetimes(FIRST.replace(tzinfo=None), LAST.replace(tzinfo=None), timezones=st.just(UTC)))
def test_each_moment_of_the_lake_arrives_as_it_is(moment: datetime) -> None:
    cut = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    assert values("timestamp", (cut - EPOCH) // _MS) == ([cut], [None])


@given(st.dates())
def test_each_day_of_the_lake_arrives_as_it_is(day: date) -> None:
    assert values("date", Date(day)) == ([day], [None])


@pytest.mark.parametrize("off", [(FIRST - EPOCH) // _MS - 1, (LAST - EPOCH) // _MS + 1, -(2**63), 2**63 - 1])
def test_a_moment_that_the_lake_cannot_hold_is_null_and_a_misfit_with_its_number(off: int) -> None:
    assert values("timestamp", 0, off) == ([EPOCH, None], [None, {"c": f"{off} ms since 1970"}])


@pytest.mark.parametrize(
    "off", [date.min.toordinal() - EPOCH.toordinal() - 1, date.max.toordinal() - EPOCH.toordinal() + 1]
)
def test_a_day_that_the_lake_cannot_hold_is_null_and_a_misfit_with_its_number(off: int) -> None:
    assert values("date", Date(off)) == ([None], [{"c": f"{off} days since 1970"}])


def test_all_misfits_of_a_row_are_told_by_lake_name() -> None:
    batch = batch_of(table(id="int", at="timestamp", day="date"), ["id", "at", "day"], (1, 2**63 - 1, Date(10**7)))
    assert json.loads(batch.column("_misfits")[0].as_py()).keys() == {"at", "day"}


def test_a_batch_has_the_columns_asked_for_in_their_order_and_misfits_last() -> None:
    batch = batch_of(table(id="int", name="text", more="text"), ["name", "id"], ("x", 1))
    assert batch.schema.names == ["name", "id", "_misfits"]
    assert batch.schema.types == [pa.string(), pa.int32(), pa.string()]
