"""TPC-H's rows, made by DuckDB's extension: into a folder as Parquet, and into a PostgreSQL. Its queries as JSON.

Runs in the benchmarks' own environment (bench/requirements.lock), and reaches PostgreSQL by what libpq takes from the
environment.
"""

import json
import sys
from pathlib import Path
from types import ModuleType

import duckdb
import duckdb_extension_postgres_scanner
import duckdb_extension_tpch


def _extension(wheel: ModuleType) -> Path:
    return next(Path(str(wheel.__file__)).parent.rglob("*.duckdb_extension"))


def main(scale: float, folder: Path) -> None:
    """Leave ``<table>.parquet``, written as DuckDB does by itself, and ``queries.json`` in ``folder``."""
    connection = duckdb.connect()
    for wheel in (duckdb_extension_postgres_scanner, duckdb_extension_tpch):
        connection.execute(f"LOAD '{_extension(wheel)}'")
    connection.execute(f"CALL dbgen(sf = {scale})")
    connection.execute("ATTACH '' AS source (TYPE postgres)")
    for (table,) in connection.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = 'memory'"
    ).fetchall():
        connection.execute(f"COPY {table} TO '{folder / table}.parquet' (FORMAT parquet)")
        connection.execute(f"CREATE TABLE source.tpch.{table} AS FROM {table}")
    queries = connection.execute("SELECT query FROM tpch_queries() ORDER BY query_nr").fetchall()
    (folder / "queries.json").write_text(json.dumps([query for (query,) in queries]))


if __name__ == "__main__":
    main(float(sys.argv[1]), Path(sys.argv[2]))
