"""Rows of data files as the table has them now, whatever the files call their columns."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lakehouse.iceberg.data_files import FileTarget
from lakehouse.iceberg.file_rows import FileRows

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


def found(paths: Sequence[str], *columns: str, **bound: Any) -> list[tuple[int, list[tuple[Any, ...]]]]:
    rows = FileRows(paths, FileTarget("unused", TABLE, {}))
    return [(before, [tuple(row.values()) for row in b.to_pylist()]) for before, b in rows.batches(columns, **bound)]


def test_columns_are_known_by_their_ids_and_come_in_the_types_of_the_table(tmp_path: Path) -> None:
    old = schema(label=(2, pa.string()), id=(1, pa.int32()), name=(9, pa.string()))
    paths = [
        file(tmp_path, old, [("a", 1, "another column of that name")]),
        file(tmp_path, TABLE, [(2, "b", AT, 5, None)]),
    ]
    assert found(paths, "name", "id", "n") == [(0, [("a", 1, None)]), (1, [("b", 2, 5)])]
    assert found(paths[:1], "n", "day") == [(0, [(None, None)])]


def test_each_batch_says_how_many_rows_come_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lakehouse.iceberg.file_rows._BATCH", 2)
    rows = [(number, "x", None, None, None) for number in range(5)]
    paths = [file(tmp_path, TABLE, rows, group=3), file(tmp_path, TABLE, rows[:1])]
    assert [(before, [row[0] for row in batch]) for before, batch in found(paths, "id")] == [
        (0, [0, 1]), (2, [2]), (3, [3, 4]), (5, [0])]  # fmt: skip


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
    paths = [file(tmp_path, like, rows, group=1)]
    read = found(paths, "id", cursor=cursor, lower=lower)
    assert [(before, batch[0][0]) for before, batch in read] == [(number, number) for number in expected]


def test_a_file_that_lacks_the_cursor_is_read(tmp_path: Path) -> None:
    paths = [file(tmp_path, schema(id=(1, pa.int64())), [(1,)])]
    assert found(paths, "id", cursor="at", lower=AT) == [(0, [(1,)])]
