"""A day without Spark: changed rows by DuckDB's postgres extension, merged into DuckDB's tables, every mart rebuilt whole.

What was deleted at the source is not seen. Runs in the benchmarks' own environment (bench/requirements.lock), and reaches
PostgreSQL by what libpq takes from the environment.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import duckdb_extension_postgres_scanner


def _opened(file: str, macros: Sequence[str]) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(file)
    extension = next(Path(duckdb_extension_postgres_scanner.__file__).parent.rglob("*.duckdb_extension"))
    connection.execute(f"LOAD '{extension}'")
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("ATTACH '' AS source (TYPE postgres, READ_ONLY)")
    for schema in ("silver", "gold"):
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    for macro in macros:
        connection.execute(f"CREATE OR REPLACE MACRO {macro}")
    return connection


def _load(connection: duckdb.DuckDBPyConnection, name: str, table: dict[str, Any]) -> None:
    """Bring what changed since the newest row of silver, or everything, into silver."""
    known = connection.execute(
        "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'silver' AND table_name = ?", [name]
    ).fetchone()
    if known == (0,):
        connection.execute(f"CREATE TABLE silver.{name} AS FROM source.shop.{name}")
        return
    column = table["changed_at"]
    newest = connection.execute(f"SELECT CAST(max({column}) AS TEXT) FROM silver.{name}").fetchone()
    assert newest is not None
    # asked of PostgreSQL as it stands, so that its index on the column serves
    query = f"SELECT * FROM shop.{name}" + (f" WHERE {column} > '{newest[0]}'" if newest[0] else "")
    connection.execute("CREATE OR REPLACE TEMP TABLE changed AS FROM postgres_query('source', ?)", [query])
    connection.execute(
        f"MERGE INTO silver.{name} USING changed USING ({', '.join(table['key'])})"
        " WHEN MATCHED THEN UPDATE WHEN NOT MATCHED THEN INSERT"
    )


if __name__ == "__main__":
    task = json.loads(Path(sys.argv[1]).read_text())
    lake = _opened(sys.argv[2], task["macros"])
    for source_table, contract in task["tables"].items():
        _load(lake, source_table, contract)
    for mart, select in task["marts"]:
        lake.execute(f"CREATE OR REPLACE TABLE gold.{mart} AS {select}")
    lake.close()
