"""The analysts' file: a view for each gold table, whole or not at all."""

from collections.abc import Mapping
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lakehouse.errors import SystemFailureError
from lakehouse.publish.duckdb_file import View, write

TYPES = {
    "a": "boolean",
    "b": "int",
    "c": "bigint",
    "d": "float",
    "e": "double",
    "f": "decimal(10,2)",
    "g": "string",
    "h": "binary",
    "i": "date",
    "j": "timestamp",
}


def data_file(path: Path, ids: list[int]) -> str:
    """A Parquet file with ``id`` and ``id * 10`` as ``x"y``; its location as Iceberg spells it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"id": ids, 'x"y': [number * 10 for number in ids]}), path)
    return f"file:{path}"


def view(*files: str, rows: int, name: str = "sales", columns: Mapping[str, str] | None = None) -> View:
    return View(name, columns or {"id": "bigint"}, files, rows)


def asked(path: Path, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(query).fetchall()


@pytest.mark.parametrize("folder", ["data", "it's", "c#", "a b", "c[1]", "day=5", "ü"])
def test_a_view_shows_the_rows_of_its_files_wherever_they_are(tmp_path: Path, folder: str) -> None:
    files = [data_file(tmp_path / folder / f"{number}.parquet", [number]) for number in (1, 2)]
    write(tmp_path / "out" / "analytics.duckdb", [view(*files, rows=2)], {})
    assert asked(tmp_path / "out" / "analytics.duckdb", "SELECT * FROM sales ORDER BY 1") == [(1,), (2,)]


def test_a_view_has_the_columns_of_its_table_whatever_they_are_called(tmp_path: Path) -> None:
    columns = {'x"y': "bigint", "id": "bigint"}
    path = tmp_path / "analytics.duckdb"
    write(path, [view(data_file(tmp_path / "d" / "1.parquet", [1]), rows=1, columns=columns)], {})
    assert asked(path, 'SELECT "x""y", id FROM sales') == [(10, 1)]


def test_a_column_that_older_files_lack_is_null_there(tmp_path: Path) -> None:
    new = tmp_path / "2.parquet"
    pq.write_table(pa.table({"id": [2], "more": ["m"]}), new)
    files = (data_file(tmp_path / "1.parquet", [1]), f"file:{new}")
    path = tmp_path / "analytics.duckdb"
    write(path, [view(*files, rows=2, columns={"id": "bigint", "more": "string"})], {})
    assert asked(path, "SELECT * FROM sales ORDER BY id") == [(1, None), (2, "m")]


def test_a_table_without_a_row_is_a_view_with_its_columns_and_types(tmp_path: Path) -> None:
    path = tmp_path / "analytics.duckdb"
    write(path, [view(rows=0, columns=TYPES)], {})
    assert asked(path, "SELECT * FROM sales") == []
    assert [row[1] for row in asked(path, "DESCRIBE sales")] == [
        "BOOLEAN",
        "INTEGER",
        "BIGINT",
        "FLOAT",
        "DOUBLE",
        "DECIMAL(10,2)",
        "VARCHAR",
        "BLOB",
        "DATE",
        "TIMESTAMP WITH TIME ZONE",
    ]


def test_who_has_the_old_file_open_goes_on_reading_it(tmp_path: Path) -> None:
    path = tmp_path / "analytics.duckdb"
    write(path, [view(data_file(tmp_path / "1.parquet", [1]), rows=1)], {})
    with duckdb.connect(str(path), read_only=True) as before:
        write(path, [view(data_file(tmp_path / "2.parquet", [2]), rows=1)], {})
        assert before.execute("SELECT id FROM sales").fetchall() == [(1,)]
    assert asked(path, "SELECT id FROM sales") == [(2,)]


def test_a_view_that_shows_another_number_of_rows_than_its_table_has_leaves_the_old_file(tmp_path: Path) -> None:
    path, file = tmp_path / "analytics.duckdb", data_file(tmp_path / "1.parquet", [1])
    write(path, [view(file, rows=1)], {})
    with pytest.raises(SystemFailureError, match=r"handing gold table sales to DuckDB: .*expected 2 rows") as caught:
        write(path, [view(file, rows=1, name="other"), view(file, rows=2)], {})
    assert "The old file stays." in str(caught.value)
    assert asked(path, "SELECT table_name FROM information_schema.tables") == [("sales",)]
    assert sorted(found.name for found in tmp_path.iterdir()) == ["1.parquet", "analytics.duckdb"]


def test_a_file_that_is_gone_leaves_the_old_file_and_is_named(tmp_path: Path) -> None:
    path = tmp_path / "analytics.duckdb"
    write(path, [view(data_file(tmp_path / "1.parquet", [1]), rows=1)], {})
    with pytest.raises(SystemFailureError, match=r"analytics\.duckdb: DuckDB failed: .*gone\.parquet"):
        write(path, [view(f"file:{tmp_path}/gone.parquet", rows=1)], {})
    assert asked(path, "SELECT id FROM sales") == [(1,)]
    assert sorted(found.name for found in tmp_path.iterdir()) == ["1.parquet", "analytics.duckdb"]
