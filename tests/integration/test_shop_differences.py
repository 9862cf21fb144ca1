"""What is told of a lake that says otherwise than the shop, and of facts that point nowhere."""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from scripts.demo_data import connections
from tests.integration.endpoints import PostgresEndpoint
from tests.integration.shop import tiny_shop
from tests.oracles import shop as oracle
from tests.oracles.shop import DIMENSIONS, KEYS, answer, differences, orphans

TYPES = {
    bool: "BOOLEAN", int: "BIGINT", float: "DOUBLE", Decimal: "DECIMAL(18,2)", str: "VARCHAR", date: "DATE",
    datetime: "TIMESTAMPTZ",
}  # fmt: skip


@pytest.fixture
def shop(app_database: PostgresEndpoint) -> Iterator[Any]:
    with tiny_shop(app_database) as connection:
        yield connection


@pytest.fixture
def lake(shop: Any, tmp_path: Path) -> Path:
    """An analysts' file that says what the shop says."""
    path = tmp_path / "analytics.duckdb"
    with duckdb.connect(str(path)) as connection:
        for table in KEYS:
            with answer(table, shop) as (columns, rows):
                found = list(rows)
            kinds = [next(TYPES[type(value)] for value in values if value is not None) for values in zip(*found)]  # noqa: B905
            described = ", ".join(f'"{name}" {kind}' for name, kind in zip(columns, kinds, strict=True))
            connection.execute(f"CREATE TABLE {table} ({described})")
            connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})", found)
    return path


def change(lake: Path, *statements: str) -> None:
    with duckdb.connect(str(lake)) as connection:
        for statement in statements:
            connection.execute(statement)


def test_a_lake_that_says_the_same_has_no_differences(lake: Path, shop: Any) -> None:
    change(
        lake,
        "UPDATE customer_360 SET churn_risk = churn_risk + 1e-12",  # another order of additions
        "ALTER TABLE fct_shipments ALTER delivered_at TYPE TIMESTAMP USING delivered_at AT TIME ZONE 'UTC'",
        "ALTER TABLE customer_360 ALTER orders TYPE INTEGER",
    )
    assert differences(lake, shop) == []
    shop.autocommit = False
    assert differences(lake, shop) == []


def test_what_differs_is_told(lake: Path, shop: Any) -> None:
    change(
        lake,
        "UPDATE customer_360 SET ltv = ltv + 0.01 WHERE customer_id = 1",
        "UPDATE customer_360 SET aov = 0, first_order_at = '2026-01-10 10:00:00Z' WHERE customer_id = 3",
        "DELETE FROM sales_by_day WHERE date = '2026-01-10'",
        "INSERT INTO customer_retention_monthly VALUES ('2026-02-01', 3, 1, 0, 0)",
        "INSERT INTO fct_refunds SELECT * FROM fct_refunds WHERE refund_id = 2",
        "UPDATE fct_returns SET order_item_id = NULL WHERE return_item_id = 2",
        "UPDATE logistics_performance SET on_time_rate = on_time_rate + 1e-8 WHERE carrier_id = 2",
    )
    assert differences(lake, shop) == [
        "sales_by_day [date=2026-01-10] only at the source",
        "sales_by_day: 1 differences in all",
        "customer_360 [customer_id=1] ltv: lake 85.01, source 85.00",
        "customer_360 [customer_id=3] first_order_at: lake 2026-01-10 10:00:00+00:00, source NULL",
        "customer_360 [customer_id=3] aov: lake 0.00, source NULL",
        "customer_360: 3 differences in all",
        "customer_retention_monthly [cohort_month=2026-02-01, months_since=3] only in the lake",
        "customer_retention_monthly: 1 differences in all",
        "logistics_performance [carrier_id=2, week=2026-02-23] on_time_rate: lake 1.00000001, source 1.0",
        "logistics_performance [carrier_id=2, week=2026-03-09] on_time_rate: lake 1e-08, source 0.0",
        "logistics_performance: 2 differences in all",
        "fct_refunds [refund_id=2] only in the lake",
        "fct_refunds: 1 differences in all",
        "fct_returns [return_item_id=2] order_item_id: lake NULL, source 6",
        "fct_returns: 1 differences in all",
    ]


def test_many_differences_are_counted_and_other_types_named(lake: Path, shop: Any) -> None:
    change(
        lake,
        "UPDATE fct_stock_daily SET value = value + 1",
        "ALTER TABLE fct_returns ALTER return_item_id TYPE VARCHAR",
        "ALTER TABLE fct_payments ALTER amount TYPE DOUBLE",
        "DROP TABLE fct_refunds",
    )
    found = differences(lake, shop)
    assert [line for line in found if line.startswith("fct_stock_daily")][4:] == [
        "fct_stock_daily [date=2026-02-03, product_id=1, warehouse_id=1] value: lake 30.00, source 29.00",
        "fct_stock_daily: 17 differences in all",
    ]
    assert "fct_returns: 4 differences in all" in found  # two rows there, two rows here
    assert "fct_payments [payment_id=1] amount: lake 10.0 (float), source 10.00 (Decimal)" in found
    assert [line.split(":")[:2] for line in found if line.startswith("fct_refunds")] == [
        ["fct_refunds", " the lake does not answer"]
    ]


def star(path: Path, *statements: str) -> Path:
    """Dimensions of the members -1 and 7, and a fact."""
    with duckdb.connect(str(path)) as connection:
        for key, dimension in DIMENSIONS.items():
            connection.execute(f"CREATE TABLE {dimension} AS SELECT unnest([-1, 7]) AS {key}")
        connection.execute(
            "CREATE VIEW fct_payments AS SELECT unnest([7, -1]) AS customer_key, 7 AS date_key, -1 AS paid_date_key"
        )
        for statement in statements:
            connection.execute(statement)
    return path


def test_facts_that_stand_in_their_dimensions(tmp_path: Path) -> None:
    assert orphans(star(tmp_path / "star.duckdb")) == []


def test_orphans_are_told(tmp_path: Path) -> None:
    path = star(
        tmp_path / "star.duckdb",
        "CREATE TABLE fct_refunds AS SELECT * FROM (VALUES (NULL, 8, 9), (7, 7, 7), (7, -1, 9)) AS t"
        " (customer_key, paid_date_key, colour_key)",
        "INSERT INTO dim_carrier VALUES (-1)",
        "DELETE FROM dim_date WHERE date_key = -1",
        "INSERT INTO dim_product VALUES (7), (NULL)",
        "DROP TABLE dim_category",
    )
    assert orphans(path) == [
        "dim_product: 4 rows have 2 different product_key",
        "dim_category: the lake has no such table with category_key",
        "dim_carrier: 3 rows have 2 different carrier_key",
        "dim_carrier: 2 rows with carrier_key -1, and one was expected",
        "dim_date: 0 rows with date_key -1, and one was expected",
        "fct_payments.paid_date_key: 2 rows whose key is not in dim_date",
        "fct_refunds.colour_key: no dimension is known for it",
        "fct_refunds.customer_key: 1 rows with NULL",
        "fct_refunds.paid_date_key: 2 rows whose key is not in dim_date",
    ]


def test_the_command_says_so_and_fails(
    lake: Path, shop: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(connections, "postgres", lambda: shop)
    assert oracle.main([str(lake)]) == 1  # it has no dimensions
    assert "dim_customer: the lake has no such table" in capsys.readouterr().out
