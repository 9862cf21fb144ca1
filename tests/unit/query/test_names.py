"""The names that a query may use, of a connection and of the lake behind it."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import duckdb
import pytest

from lakehouse.errors import SystemFailureError
from lakehouse.iceberg.metadata import LakeMetadata
from lakehouse.paths import Layer, TableName, raw, silver
from lakehouse.query.names import Names


class FakeLake:
    """A lake of two tables; looking at one fails."""

    def __init__(self) -> None:
        self.looked_at: list[str] = []

    def tables(self, layer: Layer) -> list[TableName]:
        return [name for name in (silver("orders"), raw("broken")) if name.layer is layer]

    def find(self, name: TableName) -> Any:
        self.looked_at.append(name.dotted)
        if name.table == "broken":
            raise SystemFailureError("the catalog is away")
        return SimpleNamespace(columns={"id": "int", "buyer": "string"})


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection as an analyst's: gold by name."""
    with duckdb.connect() as found:
        found.execute("ATTACH ':memory:' AS gold; USE gold")
        found.execute("CREATE TABLE daily (day date, money int); CREATE TABLE best (who text)")
        yield found


def names(connection: duckdb.DuckDBPyConnection, lake: FakeLake | None = None) -> Names:
    return Names(connection, cast(LakeMetadata | None, lake))


def test_tables_are_those_of_gold_by_name_and_those_behind_it_with_their_layer(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    assert names(connection).tables == ["best", "daily"]
    assert names(connection, FakeLake()).tables == ["best", "daily", "silver.orders", "raw.broken"]


def test_a_query_that_names_no_table_may_use_the_columns_of_gold(connection: duckdb.DuckDBPyConnection) -> None:
    assert names(connection, FakeLake()).columns("SELECT ") == ["day", "money", "who"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT  FROM daily", ["day", "money"]),
        ("FROM gold.best", ["who"]),
        ("FROM DAILY", ["day", "money"]),
        ("FROM silver.orders", ["buyer", "id"]),
        ("FROM best JOIN silver.orders", ["buyer", "id", "who"]),
        ("FROM raw.broken", []),
    ],
)
def test_a_query_s_columns_are_those_of_the_tables_that_it_names(
    connection: duckdb.DuckDBPyConnection, query: str, expected: list[str]
) -> None:
    assert names(connection, FakeLake()).columns(query) == expected


def test_the_lake_is_asked_for_the_columns_of_a_table_once_and_only_when_it_is_named(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    lake = FakeLake()
    known = names(connection, lake)
    assert lake.looked_at == []
    for _ in range(3):
        known.columns("FROM silver.orders")
    assert lake.looked_at == ["silver.orders"]
