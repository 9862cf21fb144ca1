"""Fills the shop, and plays one more day of trading. What it makes, a seed and a scale decide.

Example:
    >>> create_schema(postgres)
    >>> load(postgres, scale=0.1, seed=7)["orders"]
    10000
    >>> play_day(postgres, seed=7)
    datetime.date(2026, 11, 1)
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

from psycopg2 import sql

from scripts.demo_data.ecommerce import trading_day

_FOLDER = Path(__file__).parent
_HISTORY = ("catalogue", "customers", "fates", "orders", "after_sales", "stock")

#: The column of each table by which a change is found. What a row of the others was made with, it keeps.
CHANGED_AT = {
    "categories": "updated_at",
    "suppliers": "updated_at",
    "warehouses": "updated_at",
    "carriers": "updated_at",
    "products": "updated_at",
    "customers": "updated_at",
    "addresses": "updated_at",
    "promotions": "updated_at",
    "orders": "updated_at",
    "order_items": "updated_at",
    "shipments": "updated_at",
    "payments": "updated_at",
    "refunds": "updated_at",
    "returns": "updated_at",
    "return_items": "created_at",
    "inventory_movements": "created_at",
    "stock_levels": "updated_at",
}


def create_schema(postgres: Any) -> None:
    """Make the schema `shop` and its tables, where they are not there yet."""
    with _transaction(postgres) as cursor:
        _run(cursor, "schema")


def is_empty(postgres: Any) -> bool:
    """Whether nothing was loaded yet."""
    with _transaction(postgres) as cursor:
        cursor.execute("SELECT NOT EXISTS (SELECT FROM shop.orders)")
        return bool(cursor.fetchone()[0])


def load(postgres: Any, scale: float = 1, seed: int = 7) -> dict[str, int]:
    """Fill an empty shop with the 18 months that end on 31 October 2026; returns the number of rows by table."""
    with _transaction(postgres) as cursor:
        cursor.execute(
            "SET LOCAL work_mem = '96MB'; SET LOCAL maintenance_work_mem = '256MB'; SET LOCAL jit = off;"
            # sums of fractions depend on the order in which workers hand them in
            "SET LOCAL max_parallel_workers_per_gather = 0;"
            # neither foreign keys are checked row by row, nor do triggers stamp
            "SET LOCAL session_replication_role = replica"
        )
        for name in ("helpers", "people", "habits", *(f"history/{part}" for part in _HISTORY)):
            _run(cursor, name, seed=seed, shop_seed=seed, scale=scale)
        _run(cursor, "indexes")
        for table in CHANGED_AT:
            cursor.execute(sql.SQL("ANALYZE {}").format(sql.Identifier("shop", table)))
        return {table: _count(cursor, table) for table in CHANGED_AT}


def play_day(postgres: Any, seed: int = 7, orders: int | None = None) -> date:
    """One more day of trading, after the last that orders are stamped with; returns it.

    All that changes is proportional to the day's new orders, whatever the size of the shop.

    Args:
        seed: the one that the shop was filled with; by another, its customers have other tastes and rhythms.
        orders: how many new orders; without it, as many as the shop usually has.

    Raises:
        DataError: the shop is empty.
    """
    with _transaction(postgres) as cursor:
        plan = trading_day.plan(cursor, seed, orders)
        _run(cursor, "helpers", seed=plan.seed)
        _run(cursor, "people", seed=plan.seed)
        _run(cursor, "habits", shop_seed=seed)
        _run(cursor, "daily/lottery")
    for moment in plan.moments:
        with _transaction(postgres) as cursor:
            cursor.execute("SELECT set_config('shop.now', %s, true)", (moment.now.isoformat(),))
            _run(cursor, f"daily/{moment.name}", now=moment.now, **(plan.numbers | moment.numbers))
            _run(cursor, "daily/levels", now=moment.now)
    return plan.day


def changed_rows(postgres: Any, since: datetime) -> int:
    """How many rows, of all tables, were inserted or changed at ``since`` or later."""
    with _transaction(postgres) as cursor:
        return sum(_count(cursor, table, since) for table in CHANGED_AT)


def _count(cursor: Any, table: str, since: datetime | None = None) -> int:
    query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier("shop", table))
    if since is not None:
        query += sql.SQL(" WHERE {} >= {}").format(sql.Identifier(CHANGED_AT[table]), sql.Literal(since))
    cursor.execute(query)
    return int(cursor.fetchone()[0])


def _run(cursor: Any, name: str, **values: Any) -> None:
    """Run the statements of a file; in one with ``values``, a percent sign that is meant is written twice."""
    cursor.execute((_FOLDER / f"{name}.sql").read_text(encoding="utf-8"), values or None)


@contextmanager
def _transaction(postgres: Any) -> Iterator[Any]:
    """A cursor in a transaction of its own, in UTC and in the shop's schema; the connection's settings stay as they were."""
    if not postgres.autocommit:
        postgres.commit()
    before, postgres.autocommit = postgres.autocommit, False
    try:
        with postgres, postgres.cursor() as cursor:
            cursor.execute("SHOW search_path")
            (path,) = cursor.fetchone()
            cursor.execute("SET LOCAL timezone = 'UTC'; SET LOCAL search_path = shop")
            yield cursor
            cursor.execute("SELECT set_config('search_path', %s, false)", (path,))
    finally:
        postgres.autocommit = before
