"""A table through Iceberg's own code: its history, its columns, its layout, and commits that do not lose another's."""

from collections.abc import Iterator
from uuid import uuid4

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from lakehouse.errors import SystemFailureError
from lakehouse.iceberg.catalog import Catalog
from lakehouse.iceberg.data_files import WrittenFile, write
from lakehouse.iceberg.described import Field
from lakehouse.iceberg.table import IcebergTable
from lakehouse.paths import silver


@pytest.fixture
def table(spark: SparkSession) -> Iterator[IcebergTable]:
    name = silver(f"tab_{uuid4().hex[:8]}")
    yield Catalog.of_session(spark).create(name, {"id": "int", "at": "timestamp"})
    spark.sql(f"DROP TABLE IF EXISTS {name} PURGE")


def file_of(table: IcebergTable, *numbers: int) -> WrittenFile:
    target = table.new_file()
    rows = [{"id": number, "at": None} for number in numbers]
    file = write(target, [pa.RecordBatch.from_pylist(rows, schema=target.schema)], {})
    assert file is not None
    return file


def test_the_history_is_told_newest_first_with_what_each_commit_said(table: IcebergTable) -> None:
    heads = [table.append([file_of(table, 1, 2)], {"said": "one"}), table.append([], {"noted": "two"})]
    heads.append(table.append([file_of(table, 3)], {"said": "three"}))
    history = list(table.history())
    assert [info.identifier for info in history] == heads[::-1]
    assert [info.operation for info in history] == ["append"] * 3
    assert [info.summary.get("added-records") for info in history] == ["1", None, "2"]
    assert history[1].summary["noted"] == "two"
    assert history[0].committed_at_ms >= history[2].committed_at_ms
    assert (table.head, table.row_count) == (heads[2], 3)


def test_a_property_is_that_of_the_newest_snapshot_that_has_it(table: IcebergTable) -> None:
    table.append([], {"said": "one"})
    table.append([], {"said": "two"})
    table.append([], {"other": "x"})
    assert table.newest("said") == "two"
    assert table.newest("never") is None


def test_a_table_is_as_it_was_loaded_until_it_is_refreshed(spark: SparkSession, table: IcebergTable) -> None:
    first = table.append([], {})
    loaded, other = Catalog.of_session(spark).get(table.name), Catalog.of_session(spark).get(table.name)
    head = other.append([file_of(other, 1)], {})
    assert loaded.head == first
    loaded.refresh()
    assert loaded.head == head


def test_a_commit_upon_another_s_keeps_both(spark: SparkSession, table: IcebergTable) -> None:
    other = Catalog.of_session(spark).get(table.name)
    first = other.append([file_of(other, 1)], {})
    table.append([file_of(table, 2)], {})
    table.check_descends_from(first)
    assert sorted(row["id"] for row in spark.table(str(table.name)).collect()) == [1, 2]


def test_a_head_that_is_no_ancestor_is_another_writer_s_lost_commit(spark: SparkSession, table: IcebergTable) -> None:
    first = table.append([file_of(table, 1)], {})
    second = table.append([file_of(table, 2)], {})
    table.check_descends_from(None)
    table.check_descends_from(second)
    spark.sql(f"CALL iceberg.system.rollback_to_snapshot('{table.name.dotted}', {first})")
    table.refresh()
    with pytest.raises(
        SystemFailureError, match=f"snapshot {second}, its head before this commit, is no ancestor"
    ) as e:
        table.check_descends_from(second)
    assert "run again with --full-refresh" in str(e.value)


def test_columns_are_added_at_the_end_with_ids_of_their_own(table: IcebergTable) -> None:
    table.evolve({"more": "decimal(9,2)", "note": "string"})
    assert table.fields == (
        Field(1, "id", "int"),
        Field(2, "at", "timestamp"),
        Field(3, "more", "decimal(9,2)"),
        Field(4, "note", "string"),
    )
    assert table.arrow_schema().field("more").metadata == {b"PARQUET:field_id": b"3"}


def test_a_file_that_no_snapshot_shows_is_removed_and_one_that_is_not_there_is_no_matter(table: IcebergTable) -> None:
    shown, abandoned = file_of(table, 1), file_of(table, 2)
    table.append([shown], {})
    for _ in range(2):
        table.remove_file(abandoned.path)
    assert [path.rpartition("/")[2] for path in table.data_file_paths()] == [shown.path.rpartition("/")[2]]


def test_the_layout_is_changed_once_and_told(table: IcebergTable) -> None:
    assert table.partition([]) == ()
    notes = table.partition(["days(at)"], ["id"])
    assert notes == (
        "partitioned by days(at) from now on, before by nothing",
        "sorted by id from now on",
    )
    assert table.partition(["days(at)"], ["id"]) == ()
    assert table.partition([]) == (
        "partitioned by nothing from now on, before by days(at)",
        "sorted by nothing from now on",
    )
