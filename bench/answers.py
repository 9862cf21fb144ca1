"""Whether several ways made the same: rows and sums of the tables that they have in common."""

import math
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import duckdb

from lakehouse.publish.duckdb_access import load_extensions
from lakehouse.quoting.duckdb import identifier, literal

#: Of a table: how many rows it has (None), and the sum of each column that is a number.
Totals = dict[str | None, float]

_TOLERANCE = 1e-6


def of_analysts_file(path: Path, tables: Sequence[str]) -> dict[str, Totals]:
    """Totals of ``tables`` as analysts see them."""
    with duckdb.connect(str(path), read_only=True) as lake:
        return {table: _totals(lake, identifier(table)) for table in tables}


def of_database(path: Path, tables: Sequence[str]) -> dict[str, Totals]:
    """Totals of ``tables`` of the schema `gold` of a DuckDB database."""
    with duckdb.connect(str(path), read_only=True) as lake:
        return {table: _totals(lake, f"gold.{identifier(table)}") for table in tables}


def of_iceberg(home: Path, tables: Sequence[str]) -> dict[str, Totals]:
    """Totals of ``tables`` of gold in the embedded catalog of ``home``."""
    with closing(sqlite3.connect(home / "catalog.db")) as catalog:
        rows = catalog.execute(
            "SELECT table_name, metadata_location FROM iceberg_tables WHERE table_namespace = 'gold'"
        )
        files = {name: str(location).removeprefix("file:") for name, location in rows}
    with duckdb.connect() as lake:
        load_extensions(lake, "avro", "iceberg")
        return {table: _totals(lake, f"iceberg_scan({literal(files[table])})") for table in tables}


def _totals(lake: duckdb.DuckDBPyConnection, relation: str) -> Totals:
    numbers = [
        name for name, kind, *_ in lake.execute(f"DESCRIBE FROM {relation}").fetchall() if _is_number(str(kind).upper())
    ]
    sums = "".join(f", CAST(sum({identifier(name)}) AS DOUBLE)" for name in numbers)
    found = lake.execute(f"SELECT count(*){sums} FROM {relation}").fetchone()
    assert found is not None
    return dict(zip([None, *numbers], (float(value or 0) for value in found), strict=True))


def _is_number(kind: str) -> bool:
    return kind.startswith("DECIMAL") or kind in {
        "TINYINT",
        "SMALLINT",
        "INTEGER",
        "BIGINT",
        "HUGEINT",
        "FLOAT",
        "DOUBLE",
    }


def differences(one: dict[str, Totals], other: dict[str, Totals]) -> list[str]:
    """A line for each table in which ``other`` has other totals than ``one``, over the columns that both have."""
    lines = []
    for table, totals in one.items():
        theirs = other[table]
        shared = [column for column in totals if column in theirs]
        odd = [column for column in shared if not _alike(totals[column], theirs[column])]
        if odd:
            shown = ", ".join(
                f"{column or 'rows'} {theirs[column]:,.10g} for {totals[column]:,.10g}" for column in odd[:3]
            )
            lines.append(f"{table}: {shown}" + (f" and {len(odd) - 3} more" if len(odd) > 3 else ""))
    return lines


def _alike(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
