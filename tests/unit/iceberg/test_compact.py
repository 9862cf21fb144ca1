"""Files written together: the same rows in fewer files, and nothing that reads the table by its commits sees a change."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from py4j.protocol import Py4JError
from pyspark.sql import SparkSession

from lakehouse.errors import SystemFailureError
from lakehouse.iceberg import compact as compacting
from lakehouse.iceberg.catalog import Catalog
from lakehouse.iceberg.compact import compact
from lakehouse.iceberg.data_files import WrittenFile, write
from lakehouse.iceberg.table import IcebergTable
from lakehouse.paths import raw


@pytest.fixture
def table(spark: SparkSession) -> Iterator[IcebergTable]:
    name = raw(f"crumbs_{uuid4().hex[:8]}")
    yield Catalog.of_session(spark).create(name, {"id": "int", "w": "string"})
    spark.sql(f"DROP TABLE IF EXISTS {name} PURGE")


@pytest.fixture(autouse=True)
def four_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compacting, "_MANY", 4)


def file_of(table: IcebergTable, numbers: Sequence[int], text: str = "x") -> WrittenFile:
    target = table.new_file()
    rows = [{"id": number, "w": text} for number in numbers]
    file = write(target, [pa.RecordBatch.from_pylist(rows, schema=target.schema)], {})
    assert file is not None
    return file


def load(table: IcebergTable, *numbers: int) -> int:
    return table.append([file_of(table, numbers)], {"example.state": f"after {numbers[-1]}"})


def held(spark: SparkSession, table: IcebergTable) -> list[tuple[Any, ...]]:
    return sorted(tuple(row) for row in spark.table(str(table.name)).collect())


def on_disk(table: IcebergTable) -> set[str]:
    folder = Path(table.new_file().path.removeprefix("file:")).parent
    return {path.name for path in folder.glob("*.parquet")}


def test_many_small_files_become_one_with_the_same_rows(spark: SparkSession, table: IcebergTable) -> None:
    for number in range(4):
        load(table, number, number + 10)
    before = held(spark, table)
    assert compact(table) == ("4 small files written together",)
    (path,) = table.data_file_paths()
    with pq.ParquetFile(path.removeprefix("file:")) as file:
        assert (file.metadata.num_rows, file.num_row_groups) == (8, 1)
    assert held(spark, table) == before
    assert (table.row_count, next(table.history()).operation) == (8, "replace")


def test_few_files_and_large_ones_stay(table: IcebergTable, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        load(table, number)
    assert compact(table) == ()
    load(table, 3)
    monkeypatch.setattr(compacting, "CRUMB", 1)
    assert compact(table) == ()


def test_beside_large_files_small_ones_are_found_by_the_number_of_commits(
    table: IcebergTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    table.append([file_of(table, range(5000), uuid4().hex)], {})
    small = 3000
    monkeypatch.setattr(compacting, "CRUMB", small)
    assert table.size > 4 * small
    done = []
    for number in range(8):
        load(table, number)
        done.append(bool(compact(table)))
    assert done.count(True) == 1
    assert len(table.data_file_paths()) < 8


def test_a_partitioned_table_stays(spark: SparkSession, table: IcebergTable) -> None:
    table.partition(["id"])
    for number in range(4):
        spark.sql(f"INSERT INTO {table.name} VALUES ({number}, 'x')")
    table.refresh()
    assert compact(table) == ()


def test_a_file_that_is_older_than_a_column_has_null_in_it(spark: SparkSession, table: IcebergTable) -> None:
    for number in range(4):
        load(table, number)
    table.evolve({"more": "bigint"})
    assert compact(table)
    assert held(spark, table) == [(number, "x", None) for number in range(4)]


def test_state_is_found_in_the_snapshot_before(table: IcebergTable) -> None:
    for number in range(4):
        load(table, number)
    assert compact(table)
    assert table.newest("example.state") == "after 3"


@pytest.mark.parametrize("known", [0, 2, 3])
def test_who_reads_what_was_added_gets_just_that(spark: SparkSession, table: IcebergTable, known: int) -> None:
    """Whether the reader had come to the last commit before the files were written together, or was behind."""
    heads = [load(table, number) for number in range(4)]
    assert compact(table)
    head = load(table, 9)
    expected = [*range(known + 1, 4), 9]
    here = [row for file in table.appended_files(heads[known], head) for row in file.batches(table.arrow_schema())]
    assert sorted(pa.Table.from_batches(here)["id"].to_pylist()) == expected
    reader = spark.read.option("start-snapshot-id", heads[known]).option("end-snapshot-id", head)
    assert sorted(row["id"] for row in reader.format("iceberg").load(str(table.name)).collect()) == expected


def test_a_crash_before_the_commit_leaves_the_table_and_no_file(
    spark: SparkSession, table: IcebergTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        load(table, number)
    before, files, head = held(spark, table), on_disk(table), table.head

    def crash(*given: Any, **options: Any) -> WrittenFile | None:
        write(*given, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(compacting, "write", crash)
    with pytest.raises(KeyboardInterrupt):
        compact(table)
    assert (held(spark, table), on_disk(table), table.head) == (before, files, head)


def test_a_crash_after_the_commit_keeps_the_file_that_is_shown(
    spark: SparkSession, table: IcebergTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        load(table, number)
    before, commit = held(spark, table), IcebergTable.exchange_alike

    def crash(*arguments: Any) -> int:
        commit(*arguments)
        raise Py4JError("the answer was lost")

    monkeypatch.setattr(IcebergTable, "exchange_alike", crash)
    with pytest.raises(Py4JError):
        compact(table)
    assert len(table.data_file_paths()) == 1
    assert held(spark, table) == before


def test_another_writer_who_removes_a_file_meanwhile_wins(spark: SparkSession, table: IcebergTable) -> None:
    for number in range(4):
        load(table, number)
    stale = Catalog.of_session(spark).get(table.name)
    assert compact(table)
    files = table.data_file_paths()
    with pytest.raises(SystemFailureError, match=f"committing to {table.name.dotted} failed: ValidationException"):
        compact(stale)
    assert held(spark, table) == [(number, "x") for number in range(4)]
    table.refresh()
    assert table.data_file_paths() == files
