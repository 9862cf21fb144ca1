"""Names and values in DuckDB's SQL: what is written is read back as it was."""

import duckdb
import pytest

from lakehouse.quoting.duckdb import identifier, literal

AWKWARD = ["it's", 'say "so"', "a\\b", "'", "; DROP TABLE x --", "$1", "line\nbreak", "Żółć"]


@pytest.mark.parametrize("text", [*AWKWARD, ""])
def test_a_literal_is_read_back_as_it_was(text: str) -> None:
    assert duckdb.execute(f"SELECT {literal(text)}").fetchall() == [(text,)]


@pytest.mark.parametrize("name", AWKWARD)
def test_a_quoted_name_is_one_name(name: str) -> None:
    assert duckdb.sql(f"SELECT 1 AS {identifier(name)}").columns == [name]
