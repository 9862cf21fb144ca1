"""Files that the driver writes anew: which take up new rows, in which order, and what a failure leaves."""

from datetime import date
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pytest

from lakehouse.iceberg import write_here
from lakehouse.iceberg.partitioning import PartitionField
from lakehouse.iceberg.table import IcebergTable
from lakehouse.iceberg.write_here import Rewriting, rewrite
from tests.unit.iceberg.folder_table import SCHEMA, FolderTable, Row, table

JAN, FEB = date(2024, 1, 31), date(2024, 2, 1)
BY_DAY = (PartitionField("1000", "identity", "day"),)
BY_DAY_AND_W = (*BY_DAY, PartitionField("1001", "identity", "w"))


def write(target: FolderTable, drops: dict[int, list[int]], *new: Row) -> list[list[Row]]:
    """What the files hold after those rows left and these came."""
    leaving = [Rewriting(target.files[number], np.array(places, np.int64)) for number, places in drops.items()]
    rewrite(cast(IcebergTable, target), leaving, table(*new), {})
    return target.contents()


@pytest.mark.parametrize("drop", [[], [0], [2, 3], [0, 1, 2, 3, 4]])
def test_the_rows_that_stay_are_all_but_those_at_the_places(
    tmp_path: Path, drop: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lakehouse.iceberg.contents._BATCH", 2)
    target = FolderTable(tmp_path).with_file(*((number, None, None) for number in range(5)))
    batches = Rewriting(target.files[0], np.array(drop, np.int64)).batches(SCHEMA)
    assert pa.Table.from_batches(batches, SCHEMA).column("id").to_pylist() == [n for n in range(5) if n not in drop]


def test_a_file_that_loses_rows_takes_up_new_ones_of_its_partition_and_others_stay(tmp_path: Path) -> None:
    target = FolderTable(tmp_path, BY_DAY)
    target.with_file((1, JAN, "a"), (2, JAN, "b"), partition=("2024-01-31",))
    target.with_file((3, FEB, "c"), partition=("2024-02-01",))
    kept = target.files[1]
    assert write(target, {0: [0]}, (4, JAN, "new")) == [[(3, FEB, "c")], [(2, JAN, "b"), (4, JAN, "new")]]
    assert kept in target.files
    assert target.files[1].partition == ("2024-01-31",)


def test_new_rows_go_to_the_smallest_file_of_their_partition_while_it_is_small(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def made(folder: Path) -> FolderTable:
        folder.mkdir()
        target = FolderTable(folder).with_file(*((number, JAN, str(number) * 50) for number in range(99)))
        return target.with_file((100, JAN, "small"))

    assert [len(rows) for rows in write(made(tmp_path / "a"), {}, (101, FEB, "new"))] == [99, 2]
    monkeypatch.setattr(write_here, "CRUMB", 1)
    assert [len(rows) for rows in write(made(tmp_path / "b"), {}, (101, FEB, "new"))] == [99, 1, 1]


def test_new_rows_are_parted_by_every_field_and_null_is_a_partition(tmp_path: Path) -> None:
    target = FolderTable(tmp_path, BY_DAY_AND_W)
    new: list[Row] = [(1, JAN, "a"), (2, None, "a"), (3, JAN, None), (4, JAN, "a"), (5, None, None)]
    write(target, {}, *new)
    found = {
        file.partition: [row[0] for row in rows] for file, rows in zip(target.files, target.contents(), strict=True)
    }
    assert found == {
        ("2024-01-31", "a"): [1, 4], (None, "a"): [2], ("2024-01-31", None): [3], (None, None): [5]}  # fmt: skip


def test_a_file_that_loses_all_its_rows_is_not_written(tmp_path: Path) -> None:
    target = FolderTable(tmp_path).with_file((1, JAN, "a")).with_file((2, JAN, "b"))
    assert write(target, {0: [0]}) == [[(2, JAN, "b")]]


def test_a_table_with_a_sort_order_gets_sorted_files_nulls_first(tmp_path: Path) -> None:
    target = FolderTable(tmp_path, order=("w", "id")).with_file((3, JAN, "b"), (1, JAN, "b"), (9, JAN, "c"))
    assert write(target, {0: [2]}, (2, JAN, "a"), (4, JAN, None)) == [
        [(4, JAN, None), (2, JAN, "a"), (1, JAN, "b"), (3, JAN, "b")]]  # fmt: skip


def test_files_that_were_not_committed_are_removed_and_the_old_ones_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = FolderTable(tmp_path, BY_DAY)
    target.with_file((1, JAN, "a"), (2, JAN, "b"), partition=("2024-01-31",))
    places = iter([target.new_file()])
    monkeypatch.setattr(target, "new_file", lambda: next(places))  # there is room for one file, and two are needed
    with pytest.raises(StopIteration):
        write(target, {0: [0]}, (3, FEB, "c"))
    assert [path.name for path in tmp_path.iterdir()] == ["1.parquet"]
    assert target.contents() == [[(1, JAN, "a"), (2, JAN, "b")]]


def test_files_of_a_commit_whose_end_is_not_known_stay(tmp_path: Path) -> None:
    """The catalog may have made it before its answer was lost."""
    target = FolderTable(tmp_path).with_file((1, JAN, "a"), (2, JAN, "b"))
    target.broken = RuntimeError("the answer was lost")
    with pytest.raises(RuntimeError, match="the answer was lost"):
        write(target, {0: [0]}, (3, JAN, "c"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.parquet", "2.parquet"]


def test_files_of_partitions_are_asked_for_by_day_where_each_row_has_one(tmp_path: Path) -> None:
    target: Any = FolderTable(tmp_path, BY_DAY)
    write(target, {}, (1, FEB, None), (2, JAN, None))
    write(target, {}, (3, None, None))
    assert target.asked == [{"day": (JAN, FEB)}, {}]
