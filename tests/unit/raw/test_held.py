"""What raw holds, by its data files: the newest version of each key, as Spark finds it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lakehouse.iceberg.data_files import FileTarget, write
from lakehouse.iceberg.table import IcebergTable
from lakehouse.raw import held as module
from lakehouse.raw.held import Held, too_much
from lakehouse.sources.reader import Bound

T = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hour) for hour in range(4)]
KINDS = {"id": pa.int32(), "part": pa.string(), "n": pa.int64(), "_ingested_at": pa.timestamp("us", tz="UTC"),
         "_op": pa.string()}  # fmt: skip
SCHEMA = pa.schema(
    [pa.field(name, kind, metadata={"PARQUET:field_id": str(n)}) for n, (name, kind) in enumerate(KINDS.items(), 1)]
)
Version = tuple[int, str | None, int | None, datetime, str]


def held(folder: Path, *files: list[Version]) -> Held:
    paths = []
    for number, rows in enumerate(files):
        target = FileTarget(str(folder / f"{number}.parquet"), SCHEMA, {})
        content = [dict(zip(KINDS, row, strict=True)) for row in rows]
        if write(target, pa.Table.from_pylist(content, schema=SCHEMA).to_batches(), {}):
            paths.append(target.path)
    return Held(paths, FileTarget("unused", SCHEMA, {}), ["id", "part"])


def ids(found: Held, bound: Bound | None = None) -> list[int]:
    return sorted(row["id"] for batch in found.rows(["id"], bound) for row in batch.to_pylist())


#: 1 has two versions, 2 was deleted and came back, 3 was deleted, 4 has a NULL in its key, 5 no cursor.
FILES: list[list[Version]] = [
    [(1, "a", 1, T[0], "upsert"), (2, "a", 5, T[0], "upsert"), (3, "a", 5, T[0], "upsert")],
    [(4, None, 7, T[0], "upsert"), (5, "a", None, T[1], "upsert"), (2, "a", None, T[1], "delete")],
    [(2, "a", 6, T[2], "upsert"), (1, "a", 9, T[1], "upsert"), (3, "a", None, T[1], "delete")],
]


def test_the_newest_version_of_each_key_counts_unless_it_is_a_tombstone(tmp_path: Path) -> None:
    found = held(tmp_path, *FILES)
    assert sorted(found.keys().to_pylist(), key=lambda row: row["id"]) == [
        {"id": 1, "part": "a"}, {"id": 2, "part": "a"}, {"id": 4, "part": None}, {"id": 5, "part": "a"}]  # fmt: skip
    rows = [tuple(row.values()) for batch in found.rows(["n", "id"], None) for row in batch.to_pylist()]
    assert sorted(rows, key=lambda row: row[1]) == [(9, 1), (6, 2), (7, 4), (None, 5)]


def test_a_bound_leaves_out_what_is_below_it_and_keeps_what_has_no_cursor(tmp_path: Path) -> None:
    """An older version within the bound does not stand for a newest one that is not."""
    below = (1, "a", 0, T[3], "upsert")
    assert ids(held(tmp_path, *FILES, [below]), Bound("n", 7)) == [4, 5]
    assert ids(held(tmp_path, *FILES), Bound("n")) == [1, 2, 4, 5]


def test_of_what_was_seen_at_once_a_row_goes_before_a_tombstone(tmp_path: Path) -> None:
    assert ids(held(tmp_path, [(1, "a", 1, T[0], "upsert"), (1, "a", None, T[0], "delete")])) == [1]


def test_raw_without_files_holds_nothing(tmp_path: Path) -> None:
    found = held(tmp_path)
    assert (found.keys().num_rows, found.keys().column_names, ids(found)) == (0, ["id", "part"], [])


versions = st.tuples(
    st.integers(1, 4), st.sampled_from(["a", None]), st.none() | st.integers(0, 9), st.sampled_from(T),
    st.sampled_from(["upsert", "delete"]),
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.lists(st.lists(versions, max_size=6), max_size=4), st.integers(0, 9))
def test_any_versions_in_any_files_are_told_as_a_dictionary_of_the_newest_would(
    tmp_path: Path, files: list[list[Version]], lower: int
) -> None:
    every = sorted((row for rows in files for row in rows), key=lambda row: (row[3], row[4] == "upsert"))
    newest = {row[:2]: row for row in every}
    live = {key: row for key, row in newest.items() if row[4] == "upsert"}
    ambiguous = len({(*row[:2], row[3], row[4]) for row in every}) < len(every)  # then either version may count
    found = held(tmp_path, *files)
    assert {(row["id"], row["part"]) for row in found.keys().to_pylist()} == set(live)
    if not ambiguous:
        rows = [
            tuple(r.values()) for batch in found.rows(["id", "part", "n"], Bound("n", lower)) for r in batch.to_pylist()
        ]
        expected = [row[:3] for row in live.values() if row[2] is None or row[2] >= lower]
        assert sorted(map(str, rows)) == sorted(map(str, expected))


@pytest.mark.parametrize(
    ("summary", "expected"),
    [
        ({"total-records": "10", "total-files-size": "100"}, None),
        ({"total-records": "11", "total-files-size": "100"}, "it holds 11 rows in 100 bytes, above 10 or 100"),
        ({"total-records": "1", "total-files-size": "101"}, "it holds 1 rows in 101 bytes, above 10 or 100"),
        ({"total-records": "1", "total-delete-files": "1"}, "another program left row-level deletes in it"),
    ],
)
def test_what_is_too_much_is_told_by_the_snapshot_s_own_sums(
    summary: Any, expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_ROWS", 10)
    monkeypatch.setattr(module, "MOST_BYTES", 100)
    table = SimpleNamespace(history=lambda: iter([SimpleNamespace(summary=summary)]))
    assert too_much(cast(IcebergTable, table)) == expected
