"""Rows that hold one of some keys: the driver's finding and Spark's join give the same."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pytest
from pyspark.sql import DataFrame, SparkSession

from lakehouse import matching as module
from lakehouse.gold.inputs import rows_at
from lakehouse.iceberg import find_here
from lakehouse.iceberg.catalog import Catalog
from lakehouse.iceberg.changes import changed_rows
from lakehouse.iceberg.data_files import write
from lakehouse.iceberg.lake import Lake
from lakehouse.iceberg.table import IcebergTable
from lakehouse.matching import Few, ends_of, matching, searchable
from lakehouse.paths import silver
from lakehouse.spark import bytes_read, rows_to_frame
from lakehouse.testing import local_frame

LINES = {"id": "int", "product": "string", "at": "timestamp"}
ROWS = [
    (1, "a", datetime(2024, 1, 31, 23, 59, tzinfo=UTC)),
    (2, "b", datetime(2024, 2, 1, tzinfo=UTC)),
    (3, None, datetime(2024, 2, 2, tzinfo=UTC)),
    (4, "a", None),
]
#: Keys as DDL and rows, what they are compared with, and the numbers of the rows that hold one.
CASES: list[tuple[str, list[tuple[Any, ...]], dict[str, str], set[int]]] = [
    ("product string", [("a",), ("z",), (None,), ("a",)], {}, {1, 4}),
    ("product string", [], {}, set()),
    ("id bigint, product string", [(1, "a"), (2, "a"), (4, "a")], {}, {1, 4}),
    ("month date, product string", [(datetime(2024, 2, 1).date(), "b")], {"month": "trunc(at, 'month')"}, {2}),  # noqa: DTZ001
    ("day date", [(datetime(2024, 1, 31).date(),)], {"day": "to_date(at)"}, {1}),  # noqa: DTZ001
    ("upper string", [("B",), ("A",)], {"upper": "upper(product)"}, {1, 2, 4}),
]


@pytest.fixture
def lines(spark: SparkSession) -> Iterator[tuple[Lake, IcebergTable]]:
    lake = Lake(spark, Catalog.of_session(spark)).in_a_session_of_its_own()
    table = lake.catalog.create(silver(f"lines_{uuid4().hex[:8]}"), LINES)
    schema, files = table.arrow_schema(), []
    for half in (ROWS[:2], ROWS[2:]):
        rows = [dict(zip(LINES, row, strict=True)) for row in half]
        files.append(write(table.new_file(), pa.Table.from_pylist(rows, schema=schema).to_batches(), {}))
    table.append([file for file in files if file], {})
    yield lake, table
    spark.sql(f"DROP TABLE {table.name} PURGE")


def unasked(_: str) -> None:
    raise AssertionError("the ends of a column were asked for")


def ids(rows: DataFrame) -> set[int]:
    assert rows.columns == ["id"]
    found = [row["id"] for row in rows.collect()]
    assert len(found) == len(set(found))
    return set(found)


@pytest.mark.parametrize(("ddl", "keys", "by", "expected"), CASES)
def test_a_table_is_looked_into_by_the_driver_and_joined_by_spark_alike(
    lines: tuple[Lake, IcebergTable], ddl: str, keys: list[Any], by: dict[str, str], expected: set[int]
) -> None:
    lake, table = lines
    wanted = local_frame(lake.spark, keys, ddl)
    asked: list[bool] = []

    def watched(*given: Any) -> Few | None:
        found = search(*given)
        asked.append(found is not None)
        return found

    rows = rows_at(lake, table, table.head or 0)
    search = module._known[rows].search
    assert ids(matching(searchable(rows, watched, unasked), wanted, by, ["id"])) == expected
    assert asked == ["upper" not in ddl]  # of what no file knows the driver finds nothing
    assert ids(matching(lake.spark.table(str(table.name)), wanted, by, ["id"])) == expected
    assert ids(matching(searchable(rows, lambda *_: None, unasked), wanted, by, ["id"])) == expected


def test_all_columns_come_where_none_is_named(lines: tuple[Lake, IcebergTable]) -> None:
    lake, table = lines
    found = matching(rows_at(lake, table, table.head or 0), local_frame(lake.spark, [(2,)], "id int"))
    assert found.columns == list(LINES)
    assert [row["product"] for row in found.collect()] == ["b"]


def test_more_keys_than_the_driver_takes_are_joined(
    lines: tuple[Lake, IcebergTable], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST_KEYS", 1)
    lake, table = lines

    def refuse(*_: Any) -> Few:
        raise AssertionError("the driver was asked")

    rows = searchable(lake.spark.table(str(table.name)), refuse, unasked)
    assert ids(matching(rows, local_frame(lake.spark, [(2,), (3,)], "id int"), None, ["id"])) == {2, 3}


def test_a_table_as_it_was_is_looked_into_as_it_was(lines: tuple[Lake, IcebergTable]) -> None:
    lake, table = lines
    before = table.head or 0
    row = pa.Table.from_pylist([{"id": 9, "product": "a", "at": None}], schema=table.arrow_schema())
    file = write(table.new_file(), row.to_batches(), {})
    assert file is not None
    after = table.append([file], {})
    keys = local_frame(lake.spark, [("a",)], "product string")
    found = [ids(matching(rows_at(lake, table, head), keys, None, ["id"])) for head in (before, after)]
    assert found == [{1, 4}, {1, 4, 9}]


@pytest.mark.parametrize("column", ["id", "at", "product"])
def test_the_ends_of_a_column_are_those_that_spark_finds(lines: tuple[Lake, IcebergTable], column: str) -> None:
    lake, table = lines
    head = table.head or 0
    expected = ends_of(lake.spark.table(str(table.name)), column)
    assert ends_of(rows_at(lake, table, head), column) == expected
    assert expected == {"id": (1, 4), "at": (ROWS[0][2], ROWS[2][2]), "product": ("a", "b")}[column]
    assert (find_here.ends_of(table, column, head) == expected) == (column != "product")


def test_what_a_query_reads_is_told_by_its_tables_and_rows(lines: tuple[Lake, IcebergTable]) -> None:
    lake, table = lines
    rows, few = lake.spark.table(str(table.name)), local_frame(lake.spark, [(2,), (3,)], "id int")
    assert bytes_read(rows.join(few, on="id").where("id = 2")) == pytest.approx(table.size, abs=16)
    assert bytes_read(rows.union(rows)) == 2 * table.size > 0
    assert bytes_read(few) < 16
    changed = changed_rows(lake.spark, table, table.head or 0, table.head or 0)
    assert bytes_read(changed) > 2**40  # nobody tells


def test_many_rows_of_the_driver_are_no_part_of_the_plan_and_their_size_is_told(spark: SparkSession) -> None:
    many = pa.table({"id": pa.array(range(400_000), pa.int64())})
    frame = rows_to_frame(spark, many)
    joined = frame.alias("one").join(frame.coalesce(1).alias("other"), on="id")
    assert "LocalRelation" not in joined._jdf.queryExecution().analyzed().toString()
    assert bytes_read(joined) == 2 * (many.nbytes // 5)
    assert joined.count() == many.num_rows


def test_without_a_value_there_are_no_ends(lines: tuple[Lake, IcebergTable]) -> None:
    lake, table = lines
    name = silver(f"{table.name.table}_empty")
    lake.spark.sql(f"CREATE TABLE {name} USING iceberg AS SELECT id, at FROM {table.name} WHERE id = 4")
    empty = lake.catalog.get(name)
    assert find_here.ends_of(empty, "at") == ends_of(lake.spark.table(str(name)), "at") == (None, None)
    lake.spark.sql(f"DROP TABLE {name} PURGE")
