"""What the benchmark's other ways make: the marts that this project makes, column by column, in plain SQL."""

import duckdb
import pytest

from bench.marts import MACROS, MARTS, query
from lakehouse.registry import loader
from tests.conftest import ROOT

_DUCKDB_TYPES = {"timestamp": "TIMESTAMPTZ", "string": "VARCHAR", "int": "INTEGER"}


@pytest.fixture(scope="module")
def registry() -> loader.Registry:
    return loader.load(ROOT / "registry")


@pytest.fixture(scope="module")
def lake(registry: loader.Registry) -> duckdb.DuckDBPyConnection:
    """An empty silver of the shop, and gold as the queries make it."""
    connection = duckdb.connect()
    connection.execute("CREATE SCHEMA silver; CREATE SCHEMA gold")
    for name, table in registry.tables.items():
        if table.domain == "ecommerce":
            columns = ", ".join(
                f"{column} {_DUCKDB_TYPES.get(str(said.type), said.type)}" for column, said in table.columns.items()
            )
            connection.execute(f"CREATE TABLE silver.{name} ({columns})")
    for macro in MACROS:
        connection.execute(f"CREATE MACRO {macro}")
    for mart in MARTS:
        connection.execute(f"CREATE TABLE gold.{mart} AS {query(mart)}")
    return connection


def test_there_is_a_query_for_each_mart_and_no_other() -> None:
    assert {path.stem for path in (ROOT / "bench" / "sql").glob("*.sql")} == set(MARTS)


@pytest.mark.parametrize("mart", MARTS)
def test_a_mart_has_only_columns_that_gold_has_or_has_a_key_for(
    mart: str, lake: duckdb.DuckDBPyConnection, registry: loader.Registry
) -> None:
    made = {name for name, *_ in lake.execute(f"DESCRIBE gold.{mart}").fetchall()}
    columns = set(registry.transformers[mart].columns)
    assert {name for name in made - columns if name.removesuffix("_id") + "_key" not in columns} == set()
