"""Rows of a read that raw does not hold alike: by Spark and by this process alike."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from lakehouse.raw.differences import unlike, unlike_here

SCHEMA = pa.schema(
    {"id": pa.int32(), "name": pa.string(), "at": pa.timestamp("us", tz="UTC"), "x": pa.float64(), "raw": pa.binary()}
)
AT = datetime(2026, 1, 1, tzinfo=UTC)
Row = tuple[Any, ...]
ROW: Row = (1, "a", AT, 0.5, b"\x00")
EMPTY: Row = (None, None, None, None, None)
Way = Callable[[SparkSession, list[Row], list[Row]], list[Row]]


def table(rows: list[Row]) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(SCHEMA.names, row, strict=True)) for row in rows], schema=SCHEMA)


def by_spark(spark: SparkSession, read: list[Row], live: list[Row]) -> list[Row]:
    found = unlike(spark.createDataFrame(table(read)), spark.createDataFrame(table(live)))
    return [tuple(row.values()) for row in found.toArrow().to_pylist()]


def here(spark: SparkSession, read: list[Row], live: list[Row]) -> list[Row]:
    return [tuple(row.values()) for row in unlike_here(table(read), table(live).to_batches()).to_pylist()]


@pytest.fixture(params=[by_spark, here])
def unalike(request: pytest.FixtureRequest, spark: SparkSession) -> Callable[[list[Row], list[Row]], list[Row]]:
    return lambda read, live: request.param(spark, read, live)


@pytest.mark.parametrize("cell", range(len(ROW)))
def test_a_row_is_new_when_any_column_differs_and_null_differs_from_a_value(unalike: Any, cell: int) -> None:
    other: Row = (2, "b", AT.replace(year=2025), 1.5, b"\x01")
    for value in (other[cell], None):
        changed = (*ROW[:cell], value, *ROW[cell + 1 :])
        assert unalike([changed], [ROW]) == [changed]
        assert unalike([ROW], [changed]) == [ROW]


def test_a_row_that_is_there_alike_is_not_new_whatever_is_null_in_it(unalike: Any) -> None:
    assert unalike([ROW, EMPTY], [EMPTY, ROW, (3, *ROW[1:])]) == []
    nan = (*ROW[:3], float("nan"), ROW[4])
    assert unalike([nan], [nan]) == []


def test_rows_come_in_the_order_of_the_read_and_as_often(unalike: Any) -> None:
    rows = [(number, *ROW[1:]) for number in (5, 3, 4, 3)]
    assert sorted(unalike(rows, [(4, *ROW[1:])])) == sorted(rows[:2] + rows[3:])
    assert [row[0] for row in here(None, rows, [])] == [5, 3, 4, 3]  # type: ignore[arg-type]


def test_without_a_row_on_either_side_nothing_is_new(unalike: Any) -> None:
    assert unalike([], [ROW]) == []
    assert unalike([ROW], []) == [ROW]
