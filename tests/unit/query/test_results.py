"""Values of a result are shown and written as they are: NULL, times in UTC, all digits of a decimal."""

import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from lakehouse.query.results import Format, first_rows, write

VALUES = """SELECT NULL::int AS nothing, '' AS empty, 12345678901234567890.10::decimal(38, 2) AS amount,
                   timestamptz '2025-03-01 10:00:00+01' AS moment, 'a, "b"' AS words, sum(i) AS total,
                   'nan'::double AS odd, 1 AS twice, 2 AS twice FROM range(3) t(i)"""


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as found:
        found.execute("SET TimeZone = 'UTC'")
        yield found


def test_values_are_shown_as_they_are(connection: duckdb.DuckDBPyConnection) -> None:
    shown = first_rows(connection.sql(VALUES))
    assert shown.columns == ("nothing", "empty", "amount", "moment", "words", "total", "odd", "twice", "twice_1")
    assert shown.rows == (
        (None, "", "12345678901234567890.10", "2025-03-01 09:00:00+00", 'a, "b"', "3", "nan", "1", "2"),
    )
    assert shown.numeric == (True, False, True, False, False, True, True, True, True)


@pytest.mark.parametrize("query", ["DESCRIBE t", "SHOW TABLES", "SUMMARIZE t", "SELECT 1; FROM t"])
def test_what_is_no_select_is_shown_too(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    connection.execute("CREATE TABLE t AS SELECT 1 AS id")
    assert first_rows(connection.sql(query)).total == 1


def test_beyond_the_limit_rows_are_counted_and_the_order_is_the_querys(connection: duckdb.DuckDBPyConnection) -> None:
    shown = first_rows(connection.sql("FROM range(5000) t(i) ORDER BY i DESC"), limit=1500)
    assert shown.total == 5000
    assert [row[0] for row in shown.rows] == [str(4999 - number) for number in range(1500)]


def test_a_result_without_rows_has_its_columns(connection: duckdb.DuckDBPyConnection) -> None:
    shown = first_rows(connection.sql("SELECT 1 AS id WHERE false"))
    assert (shown.columns, shown.rows, shown.total) == (("id",), (), 0)


def test_csv_tells_null_from_an_empty_text(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    write(connection, connection.sql(VALUES), Format.CSV, tmp_path / "out")
    assert (tmp_path / "out").read_text() == (
        "nothing,empty,amount,moment,words,total,odd,twice,twice_1\n"
        ',"",12345678901234567890.10,2025-03-01 09:00:00+00,"a, ""b""",3,nan,1,2\n'
    )


def test_json_keeps_digits_and_has_no_nan(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    write(connection, connection.sql(VALUES), Format.JSON, tmp_path / "it's")
    (row,) = json.loads((tmp_path / "it's").read_text(), parse_float=str)
    assert row == {
        "nothing": None, "empty": "", "amount": "12345678901234567890.10", "moment": "2025-03-01 09:00:00+00",
        "words": 'a, "b"', "total": 3, "odd": None, "twice": 1, "twice_1": 2,
    }  # fmt: skip
    assert connection.sql("SHOW TABLES").fetchall() == []


def test_parquet_keeps_types(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    write(connection, connection.sql(VALUES), Format.PARQUET, tmp_path / "out")
    schema = pq.read_schema(tmp_path / "out")
    assert [str(schema.field(name).type) for name in ("amount", "moment", "total")] == [
        "decimal128(38, 2)", "timestamp[us, tz=UTC]", "decimal128(38, 0)"
    ]  # fmt: skip


def test_a_result_of_many_rows_is_written_whole(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    for form in (Format.CSV, Format.JSON, Format.PARQUET):
        write(connection, connection.sql("FROM range(200000) t(i)"), form, tmp_path / "out")
        assert connection.sql(f"SELECT count(*), sum(i) FROM read_{form}('{tmp_path}/out')").fetchone() == (
            200_000,
            19_999_900_000,
        )
