"""Finding few rows by the driver: which files are asked for, which rows come, and when it is too much."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pytest

from lakehouse.iceberg import find_here
from lakehouse.iceberg.find_here import all_rows, hits, ranges_of, rows_of
from lakehouse.iceberg.keys import Keys
from lakehouse.iceberg.terms import Term
from tests.unit.iceberg.folder_table import SCHEMA, FolderTable, table

DAY, NEXT = date(2024, 1, 31), date(2024, 2, 1)
COLUMNS = [SCHEMA.field(name) for name in ("w", "id")]


@pytest.fixture
def target(tmp_path: Path) -> Any:
    rows = [(1, DAY, "a"), (2, None, None), (3, NEXT, "b")]
    return FolderTable(tmp_path).with_file(*rows).with_file((4, DAY, None), (1, NEXT, "again"))


def found(rows: pa.Table | None) -> list[tuple[Any, ...]]:
    assert rows is not None
    return [tuple(row.values()) for row in rows.to_pylist()]


def test_rows_are_found_in_every_file_by_all_columns_of_the_values(target: Any) -> None:
    assert found(rows_of(target, pa.table({"id": [1, 9]}), COLUMNS)) == [("a", 1), ("again", 1)]
    assert found(rows_of(target, pa.table({"id": [1, 3], "day": [NEXT, NEXT]}), COLUMNS)) == [("b", 3), ("again", 1)]


def test_null_is_a_value_that_is_found(target: Any) -> None:
    values = pa.table({"day": pa.array([None, NEXT], pa.date32()), "w": [None, "b"]})
    assert found(rows_of(target, values, COLUMNS)) == [(None, 2), ("b", 3)]


def test_files_are_asked_for_by_what_the_values_lie_between(target: Any) -> None:
    rows_of(target, pa.table({"id": [3, 1, 2], "w": ["b", None, "a"]}), COLUMNS)
    assert target.asked == [{"id": (1, 3)}]  # a file of NULLs has no bounds, so `w` says nothing


def test_of_no_values_there_are_no_rows(target: Any) -> None:
    none = rows_of(target, pa.table({"id": pa.array([], pa.int32())}), COLUMNS)
    assert found(none) == []
    assert cast(pa.Table, none).schema.names == ["w", "id"]


def test_rows_of_a_month_are_looked_for_in_the_files_that_may_hold_one(target: Any) -> None:
    month = Term("day", "month", 31)
    values = pa.table({"m": [date(2024, 1, 1)], "id": pa.array([4], pa.int64())})
    assert found(rows_of(target, values, COLUMNS, None, [month, Term("id")])) == [(None, 4)]
    assert target.asked == [{"day": (date(2024, 1, 1), date(2024, 2, 1)), "id": (4, 4)}]
    assert found(rows_of(target, pa.table({"m": pa.array([None], pa.date32())}), COLUMNS, None, [month])) == [(None, 2)]


def test_what_would_be_too_much_to_read_is_left_to_spark(target: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find_here, "MOST_SEARCHED", target.files[0].size)
    assert rows_of(target, pa.table({"id": [1]}), COLUMNS) is None
    assert found(rows_of(target, pa.table({"id": [2]}), COLUMNS)) == [(None, 2)]  # only files with a hit count
    monkeypatch.setattr(find_here, "MOST_FOUND", 1)
    assert rows_of(target, pa.table({"id": [2]}), COLUMNS) is None


def test_hits_are_places_in_the_file_and_in_the_values(target: Any) -> None:
    by = pa.schema([SCHEMA.field("id")])
    here, there = hits(
        target.files[0], by, Keys(table((3, None, None), (9, None, None), (1, None, None)).select(["id"])), [Term("id")]
    )
    assert (here.tolist(), there.tolist()) == ([0, 2], [2, 0])


def test_all_rows_of_no_files_have_the_columns(target: Any) -> None:
    assert all_rows([], SCHEMA).schema == SCHEMA
    assert all_rows(target.files, SCHEMA).num_rows == 5


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array([2, 1], pa.int64()), {"x": (1, 2)}),
        (pa.array(["b", "a"]), {"x": ("a", "b")}),
        (pa.array([DAY, NEXT]), {"x": (DAY, NEXT)}),
        (pa.array([datetime(2024, 1, 1, tzinfo=UTC)]), {"x": (datetime(2024, 1, 1, tzinfo=UTC),) * 2}),
        (pa.array([1, None], pa.int64()), {}),
        (pa.array([], pa.int64()), {}),
        (pa.array([1.5, float("nan")]), {}),
        (pa.array([b"a"]), {}),
    ],
)
def test_a_range_is_told_where_a_file_s_metrics_can_be_compared_with_it(values: pa.Array, expected: Any) -> None:
    moments = pa.timestamp("us", tz="UTC")
    column = values.cast(moments) if pa.types.is_timestamp(values.type) else values
    rows = pa.table({"x": column})
    assert ranges_of(rows, [Term("x")], rows.schema) == expected
