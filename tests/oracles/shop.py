"""Holding the shop's gold tables against its source: `python -m tests.oracles.shop` says where they differ.

What a table must hold is said in plain SQL over the source, `ecommerce/<table>.sql`, which shares nothing with the engine.
Both sides are read sorted by the key and walked together, so that neither has to fit into memory.
"""

import math
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb

from scripts.demo_data import connections
from scripts.services.settings import ROOT

QUERIES = Path(__file__).with_name("ecommerce")
BATCH = 20_000
SHOWN = 5
TOLERANCE = 1e-9

#: table: the columns of its key
KEYS = {
    "sales_daily": ["date", "category_id", "country"],
    "sales_by_day": ["date"],
    "customer_360": ["customer_id"],
    "customer_retention_monthly": ["cohort_month", "months_since"],
    "inventory_health": ["product_id", "warehouse_id", "month"],
    "logistics_performance": ["carrier_id", "week"],
    "fct_order_items": ["order_item_id"],
    "fct_payments": ["payment_id"],
    "fct_refunds": ["refund_id"],
    "fct_shipments": ["shipment_id"],
    "fct_returns": ["return_item_id"],
    "fct_stock_daily": ["date", "product_id", "warehouse_id"],
}

#: surrogate key: the dimension that it stands in
DIMENSIONS = {
    "customer_key": "dim_customer",
    "product_key": "dim_product",
    "category_key": "dim_category",
    "warehouse_key": "dim_warehouse",
    "carrier_key": "dim_carrier",
    "date_key": "dim_date",
}

Row = tuple[Any, ...]


def differences(analytics: Path, postgres: Any) -> list[str]:
    """What the analysts' file says otherwise than the source: a few lines for each table, and how many there are."""
    with postgres.cursor() as cursor:
        cursor.execute("SET cursor_tuple_fraction = 1")  # all rows are fetched: plan for that, not for the first ones
    with duckdb.connect(str(analytics), read_only=True) as lake:
        lake.execute("SET TimeZone = 'UTC'")
        return [line for table, key in KEYS.items() for line in _table(table, key, lake, postgres)]


def _table(table: str, key: list[str], lake: duckdb.DuckDBPyConnection, postgres: Any) -> list[str]:
    with answer(table, postgres) as (columns, expected):
        lines = Comparison(table, columns, key).lines(_lake_rows(lake, table, columns, key), expected)
        try:
            shown = list(islice(lines, SHOWN))
            more = sum(1 for _ in lines)
        except duckdb.Error as error:
            return [f"{table}: the lake does not answer: {error}"]
    return [*shown, f"{table}: {len(shown) + more} differences in all"] if shown else []


@contextmanager
def answer(table: str, postgres: Any) -> Iterator[tuple[list[str], Iterator[Row]]]:
    """What the source says ``table`` must hold: the columns, and the rows sorted by the key."""
    # with hold: the connection may be in autocommit, in which other cursors end with their own statement
    with closing(postgres.cursor(name=f"oracle_{table}", withhold=True)) as cursor:
        cursor.execute((QUERIES / f"{table}.sql").read_text())
        first = cursor.fetchmany(BATCH)  # only then are the columns known
        yield [column.name for column in cursor.description], _source_rows(cursor, first)


def _source_rows(cursor: Any, batch: list[Row]) -> Iterator[Row]:
    while batch:
        yield from batch
        batch = cursor.fetchmany(BATCH)


def _lake_rows(lake: duckdb.DuckDBPyConnection, table: str, columns: list[str], key: list[str]) -> Iterator[Row]:
    result = lake.execute(f"SELECT {_quoted(columns)} FROM {table} ORDER BY {_quoted(key)}")
    while batch := result.fetchmany(BATCH):
        yield from batch


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


class Comparison:
    """Two runs of rows of ``table``, each sorted by its key; a key that comes twice is told, too."""

    def __init__(self, table: str, columns: list[str], key: list[str]) -> None:
        self._table, self._columns, self._key = table, columns, key
        self._positions = [columns.index(name) for name in key]

    def lines(self, lake: Iterator[Row], source: Iterator[Row]) -> Iterator[str]:
        """A line for each value that differs, and for each row that only one side has."""
        found, expected = next(lake, None), next(source, None)
        while found is not None or expected is not None:
            side = 0 if found == expected else self._side(found, expected)
            if side < 0 and found is not None:
                yield f"{self._name(found)} only in the lake"
                found = next(lake, None)
            elif side > 0 and expected is not None:
                yield f"{self._name(expected)} only at the source"
                expected = next(source, None)
            elif found is not None and expected is not None:
                yield from self._values(found, expected)
                found, expected = next(lake, None), next(source, None)

    def _side(self, found: Row | None, expected: Row | None) -> int:
        """Which row comes first: below zero that of the lake, above it that of the source, zero where keys are equal."""
        if found is None or expected is None:
            return 1 if found is None else -1
        mine, its = self._sort_key(found), self._sort_key(expected)
        return (mine > its) - (mine < its)

    def _sort_key(self, row: Row) -> Row:
        """Both databases put NULL last. A key of another type than the source's stands apart rather than failing."""
        values = [row[position] for position in self._positions]
        return tuple((value is None, _kind(value), value) for value in values)

    def _values(self, found: Row, expected: Row) -> Iterator[str]:
        for column, mine, its in zip(self._columns, found, expected, strict=True):
            if mine is not its and not alike(mine, its):
                yield f"{self._name(expected)} {column}: lake {_told(mine, its)}, source {_told(its, mine)}"

    def _name(self, row: Row) -> str:
        values = ", ".join(f"{name}={row[position]}" for name, position in zip(self._key, self._positions, strict=True))
        return f"{self._table} [{values}]"


def alike(found: Any, expected: Any) -> bool:
    """Whether two values say the same: doubles nearly, all others exactly; a moment without zone is one in UTC."""
    if isinstance(found, float) and isinstance(expected, float):
        return math.isclose(found, expected, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    if isinstance(found, datetime) and isinstance(expected, datetime):
        return _aware(found) == _aware(expected)
    return _kind(found) == _kind(expected) and bool(found == expected)


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _kind(value: Any) -> str:
    """What ``value`` may be compared with; whole numbers and decimals are alike, a double is neither."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return "number"
    return type(value).__name__


def _told(value: Any, other: Any) -> str:
    """``value``, with its type where only that tells it from ``other``."""
    if value is None or other is None or _kind(value) == _kind(other):
        return "NULL" if value is None else str(value)
    return f"{value} ({type(value).__name__})"


def orphans(analytics: Path) -> list[str]:
    """Where a fact's key is NULL or stands in no dimension, and dimensions without a sole unknown member or unique keys."""
    with duckdb.connect(str(analytics), read_only=True) as lake:
        present = _columns(lake)
        found = [line for key, dimension in DIMENSIONS.items() for line in _dimension(lake, present, dimension, key)]
        for table, columns in sorted(present.items()):
            if table.startswith("fct_"):
                found += [
                    line
                    for column in columns
                    if column.endswith("_key")
                    for line in _orphans(lake, present, table, column)
                ]
    return found


def _columns(lake: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    tables: dict[str, list[str]] = {}
    for table, column in lake.execute(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_catalog = current_database() AND table_schema = current_schema() ORDER BY ALL"
    ).fetchall():
        tables.setdefault(table, []).append(column)
    return tables


def _dimension(
    lake: duckdb.DuckDBPyConnection, present: dict[str, list[str]], dimension: str, key: str
) -> Iterator[str]:
    if key not in present.get(dimension, []):
        yield f"{dimension}: the lake has no such table with {key}"
        return
    rows, keys, unknown = _one(
        lake, f"SELECT count(*), count(DISTINCT {key}), count(*) FILTER ({key} = -1) FROM {dimension}"
    )
    if keys != rows:
        yield f"{dimension}: {rows} rows have {keys} different {key}"
    if unknown != 1:
        yield f"{dimension}: {unknown} rows with {key} -1, and one was expected"


def _orphans(lake: duckdb.DuckDBPyConnection, present: dict[str, list[str]], table: str, column: str) -> Iterator[str]:
    key = next((name for name in DIMENSIONS if column == name or column.endswith(f"_{name}")), None)
    if key is None:
        yield f"{table}.{column}: no dimension is known for it"
        return
    dimension = DIMENSIONS[key]
    if key not in present.get(dimension, []):
        return  # told already
    (missing,) = _one(lake, f'SELECT count(*) FROM {table} WHERE "{column}" IS NULL')
    (strange,) = _one(
        lake,
        f'SELECT count(*) FROM {table} f WHERE "{column}" IS NOT NULL'
        f' AND NOT EXISTS (SELECT 1 FROM {dimension} d WHERE d.{key} = f."{column}")',
    )
    if missing:
        yield f"{table}.{column}: {missing} rows with NULL"
    if strange:
        yield f"{table}.{column}: {strange} rows whose key is not in {dimension}"


def _one(lake: duckdb.DuckDBPyConnection, query: str) -> Row:
    row = lake.execute(query).fetchone()
    assert row is not None
    return tuple(row)


def main(arguments: list[str]) -> int:
    """Print where the analysts' file (the checkout's own, unless one is named) differs; 1 where it does."""
    default = Path(os.environ.get("LAKEHOUSE_HOME") or ROOT / ".lakehouse") / "analytics.duckdb"
    analytics = Path(arguments[0]) if arguments else default
    with closing(connections.postgres()) as postgres:
        found = differences(analytics, postgres) + orphans(analytics)
    print("\n".join(found) or "gold equals the source")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
