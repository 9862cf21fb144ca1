"""Whether two ways made the same: rows and sums of the columns that both have."""

from pathlib import Path

import duckdb
import pytest

from bench.answers import differences, of_analysts_file, of_database


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "lake.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE SCHEMA gold")
        connection.execute("CREATE TABLE gold.sales AS SELECT 2.50::DECIMAL(18, 2) AS price, 3 AS units, 'a' AS name")
        connection.execute("CREATE VIEW sales AS FROM gold.sales")
    return path


def test_rows_are_counted_and_numbers_summed(database: Path) -> None:
    assert of_database(database, ["sales"]) == {"sales": {None: 1, "price": 2.5, "units": 3}}
    assert of_analysts_file(database, ["sales"]) == of_database(database, ["sales"])


def test_only_columns_that_both_have_are_compared() -> None:
    assert differences({"sales": {None: 1, "price": 2.5}}, {"sales": {None: 1, "units": 3.0}}) == []


def test_a_difference_is_told_with_both_numbers() -> None:
    assert differences({"sales": {None: 1, "price": 2.5}}, {"sales": {None: 2, "price": 2.5}}) == [
        "sales: rows 2 for 1"
    ]
