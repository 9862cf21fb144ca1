"""Rows of data files as the table has them now, whatever the files call their columns."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lakehouse.iceberg.contents import DataFile, HeldFile

AT = datetime(2026, 1, 1, tzinfo=UTC)
MOMENT = pa.timestamp("us", tz="UTC")


def schema(**fields: tuple[int, pa.DataType]) -> pa.Schema:
    return pa.schema(
        [pa.field(name, kind, metadata={"PARQUET:field_id": str(number)}) for name, (number, kind) in fields.items()]
    )


#: What the table is like now.
TABLE = schema(id=(1, pa.int64()), name=(2, pa.string()), at=(3, MOMENT), n=(4, pa.int32()), day=(5, pa.date32()))


def file(folder: Path, like: pa.Schema, rows: Sequence[Sequence[Any]], group: int = 100) -> str:
    path = folder / f"{len(list(folder.iterdir()))}.parquet"
    content = [dict(zip(like.names, row, strict=True)) for row in rows]
    pq.write_table(pa.Table.from_pylist(content, schema=like), path, row_group_size=group, store_schema=False)
    return f"file:{path}"


def found(path: str, *columns: str, cursor: str | None = None, lower: Any = None) -> list[tuple[int, list[Any]]]:
    """The batches of a file, each with the place of its first row."""
    wanted = pa.schema([TABLE.field(name) for name in columns])
    by = None if cursor is None else TABLE.field(cursor)
    batches = [*DataFile(path, {}).placed(wanted, by, lower)]
    assert all(batch.schema.equals(wanted, check_metadata=True) for _, batch in batches)
    return [(place, [tuple(row.values()) for row in batch.to_pylist()]) for place, batch in batches]


def test_columns_are_known_by_their_ids_and_come_in_the_types_of_the_table(tmp_path: Path) -> None:
    old = schema(label=(2, pa.string()), id=(1, pa.int32()), name=(9, pa.string()))
    path = file(tmp_path, old, [("a", 1, "another column of that name")])
    assert found(path, "name", "id", "n") == [(0, [("a", 1, None)])]
    assert found(file(tmp_path, TABLE, [(2, "b", AT, 5, None)]), "name", "id", "n") == [(0, [("b", 2, 5)])]


def test_of_columns_that_a_file_lacks_altogether_each_row_is_told_as_null(tmp_path: Path) -> None:
    path = file(tmp_path, schema(id=(1, pa.int64())), [(1,), (2,), (3,)], group=2)
    assert found(path, "n", "day") == [(0, [(None, None), (None, None)]), (2, [(None, None)])]


def test_each_batch_has_the_place_of_its_first_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lakehouse.iceberg.contents._BATCH", 2)
    path = file(tmp_path, TABLE, [(number, "x", None, None, None) for number in range(5)], group=3)
    assert [(place, [row[0] for row in batch]) for place, batch in found(path, "id")] == [
        (0, [0, 1]), (2, [2]), (3, [3, 4])]  # fmt: skip


@pytest.mark.parametrize("places", [[], [0], [2, 3], [1, 2, 4], [0, 1, 2, 3, 4]])
def test_rows_are_told_by_their_places_whichever_groups_they_are_in(tmp_path: Path, places: list[int]) -> None:
    path = file(tmp_path, schema(id=(1, pa.int32())), [(number,) for number in range(5)], group=2)
    rows = DataFile(path, {}).at(pa.schema([TABLE.field("id"), TABLE.field("n")]), np.array(places, np.int64))
    assert rows.to_pylist() == [{"id": place, "n": None} for place in places]
    assert rows.schema.field("id").type == pa.int64()


@pytest.mark.parametrize(
    ("cursor", "values", "lower", "expected"),
    [
        ("at", [AT, AT + timedelta(hours=1), None], AT + timedelta(minutes=1), [1, 2]),
        ("at", [AT, AT + timedelta(hours=1), None], AT, [0, 1, 2]),
        ("day", [date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 3)], date(2026, 1, 2), [1, 2]),
        ("n", [3, 5, 7], 6, [2]),
    ],
)
def test_groups_of_rows_below_a_bound_are_not_read_and_rows_without_a_cursor_are(
    tmp_path: Path, cursor: str, values: list[Any], lower: Any, expected: list[int]
) -> None:
    empty = {"name": None, "at": None, "n": None, "day": None}
    rows = [list(({"id": number} | empty | {cursor: value}).values()) for number, value in enumerate(values)]
    like = pa.schema([TABLE.field(name) for name in ("id", "name", "at", "n", "day")])
    read = found(file(tmp_path, like, rows, group=1), "id", cursor=cursor, lower=lower)
    assert [(place, batch[0][0]) for place, batch in read] == [(number, number) for number in expected]


def test_a_file_that_lacks_the_cursor_is_read(tmp_path: Path) -> None:
    path = file(tmp_path, schema(id=(1, pa.int64())), [(1,)])
    assert found(path, "id", cursor="at", lower=AT) == [(0, [(1,)])]


def test_neither_a_data_file_nor_a_held_one_shows_how_its_store_is_reached() -> None:
    secret = {"s3.secret-access-key": "hidden"}
    assert "hidden" not in repr(DataFile("a", secret))
    assert "hidden" not in repr(HeldFile("a", secret, rows=1, size=1, spec=0, partition=(), java=None))
