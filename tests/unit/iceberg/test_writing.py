"""Columns, rows and what is said of them change together, or not at all; no file that a snapshot shows is deleted."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from lakehouse.errors import LakehouseError
from lakehouse.iceberg import write
from lakehouse.iceberg.catalog import Catalog
from lakehouse.iceberg.data_files import write as write_file
from lakehouse.iceberg.metadata import LakeMetadata
from lakehouse.iceberg.writing import Writing
from lakehouse.paths import TableName, silver
from lakehouse.settings import Profile
from lakehouse.testing import local_frame

COLUMNS = {"id": "int", "name": "string"}


@pytest.fixture
def catalog(spark: SparkSession) -> Catalog:
    return Catalog.of_session(spark)


@pytest.fixture
def name(spark: SparkSession, request: pytest.FixtureRequest) -> Iterator[TableName]:
    found = silver(f"w{abs(hash(request.node.nodeid)) % 10**8}")
    yield found
    spark.sql(f"DROP TABLE IF EXISTS {found} PURGE")


def put(writing: Writing, rows: list[dict[str, Any]], **properties: str) -> int:
    """Commit ``rows`` as one file."""
    target = writing.new_file()
    batch = pa.RecordBatch.from_pylist(rows, pa.schema([target.schema.field(c) for c in rows[0]]))
    file = write_file(target, [batch], {})
    assert file is not None
    return writing.commit([file], properties)


def rows(spark: SparkSession, name: TableName, columns: str = "*") -> list[tuple[Any, ...]]:
    return sorted(tuple(row) for row in spark.sql(f"SELECT {columns} FROM {name}").collect())


def files(catalog: Catalog, name: TableName) -> set[Path]:
    return {Path(path.removeprefix("file:")) for path in catalog.get(name).data_file_paths()}


def test_a_new_table_is_there_with_its_first_rows_and_not_before(
    spark: SparkSession, catalog: Catalog, name: TableName
) -> None:
    writing = catalog.replace(name, COLUMNS)
    assert catalog.find(name) is None
    head = put(writing, [{"id": 1, "name": "a"}], state="said")
    table = catalog.get(name)
    assert (table.head, table.newest("state")) == (head, "said")
    assert rows(spark, name) == [(1, "a")]


def test_rows_are_added_or_take_the_place_of_others_in_one_snapshot(
    spark: SparkSession, catalog: Catalog, name: TableName
) -> None:
    put(catalog.replace(name, COLUMNS), [{"id": 1, "name": "a"}])
    put(catalog.extend(name, {}, {}), [{"id": 2, "name": "b"}])
    assert rows(spark, name) == [(1, "a"), (2, "b")]
    put(catalog.replace(name, COLUMNS), [{"id": 3, "name": "c"}])
    assert rows(spark, name) == [(3, "c")]
    assert [info.operation for info in catalog.get(name).history()] == ["overwrite", "append", "append"]


def test_a_new_and_a_wider_column_come_with_the_rows_that_have_them(
    spark: SparkSession, catalog: Catalog, name: TableName
) -> None:
    put(catalog.replace(name, COLUMNS), [{"id": 1, "name": "a"}])
    writing = catalog.extend(name, {"paid": "decimal(5,2)"}, {"id": "bigint"})
    assert {field.name for field in catalog.get(name).fields} == {"id", "name"}
    put(writing, [{"id": 2**40, "name": "b", "paid": None}])
    assert dict(spark.table(str(name)).dtypes) == {"id": "bigint", "name": "string", "paid": "decimal(5,2)"}
    assert rows(spark, name, "id") == [(1,), (2**40,)]


def test_other_columns_replace_the_table_and_leave_the_files_of_before(
    spark: SparkSession, catalog: Catalog, name: TableName
) -> None:
    put(catalog.replace(name, COLUMNS), [{"id": 1, "name": "a"}])
    before, head = files(catalog, name), catalog.get(name).head
    writing = catalog.replace(name, {"id": "string"})
    assert rows(spark, name) == [(1, "a")]
    put(writing, [{"id": "x"}])
    assert rows(spark, name) == [("x",)]
    assert all(file.exists() for file in before)
    old = spark.read.option("versionAsOf", str(head)).table(str(name)).collect()
    assert [tuple(row) for row in old] == [(1, "a")]


def test_an_abandoned_commit_leaves_neither_a_change_nor_a_file(
    spark: SparkSession, catalog: Catalog, name: TableName
) -> None:
    put(catalog.replace(name, COLUMNS), [{"id": 1, "name": "a"}])
    folder = next(iter(files(catalog, name))).parent
    writing = catalog.extend(name, {"new": "int"}, {})
    written, never = writing.new_file(), writing.new_file()
    write_file(written, [pa.RecordBatch.from_pydict({"id": pa.array([2], pa.int32())})], {})
    assert len(list(folder.glob("*.parquet"))) == 2
    writing.abandon()
    assert {*folder.glob("*.parquet")} == files(catalog, name)
    assert not Path(never.path).exists()
    assert rows(spark, name) == [(1, "a")]


def test_a_commit_that_fails_leaves_the_files_since_nobody_knows_whether_they_are_shown(
    catalog: Catalog, name: TableName
) -> None:
    put(catalog.replace(name, COLUMNS), [{"id": 1, "name": "a"}])
    late = catalog.replace(name, {"id": "string"})
    target = late.new_file()
    file = write_file(target, [pa.RecordBatch.from_pydict({"id": pa.array(["x"])})], {})
    assert file is not None
    catalog._java.dropTable(catalog._identifier(name), False)
    with pytest.raises(LakehouseError, match=f"committing to {name.dotted} failed"):
        late.commit([file], {})
    late.abandon()
    assert Path(file.path).exists()


def frame(spark: SparkSession, values: list[tuple[Any, ...]], ddl: str = "id int, at date") -> Any:
    return local_frame(spark, values, ddl)


def test_a_frame_makes_a_table_with_its_layout_and_properties(
    spark: SparkSession, profile: Profile, catalog: Catalog, name: TableName
) -> None:
    from datetime import date

    made = frame(spark, [(2, date(2026, 1, 1)), (1, date(2026, 2, 1))])
    head = write.replace(made, name, catalog, ["months(at)", "bucket(4, id)"], {"said": "it"}, ["id"])
    table = LakeMetadata(profile).find(name)
    assert table is not None
    assert (table.head, table.newest("said")) == (head, "it")
    assert (table.partition_by, table.sort_by) == (("months(at)", "bucket(4, id)"), ("id",))
    assert rows(spark, name, "id") == [(1,), (2,)]


def test_a_frame_that_cannot_be_computed_leaves_the_table_and_its_files(
    spark: SparkSession, catalog: Catalog, name: TableName
) -> None:
    write.replace(frame(spark, [(1, None)]), name, catalog, [], {})
    before = files(catalog, name)
    broken = frame(spark, [("x",)], "text string").selectExpr("CAST(text AS INT) AS number", "1 AS more")
    with pytest.raises((LakehouseError, PySparkException)):
        write.replace(broken, name, catalog, [], {})
    assert rows(spark, name) == [(1, None)]
    assert files(catalog, name) == before
    write.replace(frame(spark, [(7,)], "number int"), name, catalog, [], {})
    assert rows(spark, name) == [(7,)]
    assert all(file.exists() for file in before)
