"""The shop's oracle, held against numbers worked out by hand: it is what judges the engine, and so is judged here.

The shop is in tiny_shop.sql. Its as-of day is 20 May 2026, the day of its latest order, which is a cancelled one.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.integration.endpoints import PostgresEndpoint
from tests.integration.shop import run, tiny_shop, without_customers
from tests.oracles.shop import Row, alike, answer

GUEST_ORDER = (
    "INSERT INTO orders (order_id, status, country, shipping_fee, tax, placed_at) VALUES (999, 'paid', 'FR', 0, 0, %s)"
)


@pytest.fixture
def shop(app_database: PostgresEndpoint) -> Iterator[Any]:
    with tiny_shop(app_database) as connection:
        yield connection


def check(connection: Any, table: str, *expected: Row) -> None:
    """Money may be written as text here; doubles within the oracle's own tolerance."""
    with answer(table, connection) as (columns, rows):
        found = list(rows)
    assert len(found) == len(expected), found
    for row, wanted in zip(found, expected, strict=True):
        for column, value, want in zip(columns, row, wanted, strict=True):
            money = isinstance(value, Decimal) and isinstance(want, str)
            assert alike(value, Decimal(want) if money else want), (table, row, column, want)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


def test_sales_daily(shop: Any) -> None:
    check(
        shop, "sales_daily",
        (date(2026, 1, 10), 2, "Kitchen", "DE", 1, 0, 1, "10.00", "0", "2.50", "7.50", "10.00"),
        # order 1's two pans; order 3 is cancelled, and its 5 kettles for 200 count nowhere, nor does its refund
        (date(2026, 1, 10), 2, "Kitchen", "FR", 1, 1, 2, "20.00", "1.00", "0", "19.00", "19.00"),
        (date(2026, 1, 10), 3, "Garden", "FR", 1, 0, 1, "25.00", "0", "0", "25.00", "25.00"),
        (date(2026, 1, 20), 3, "Garden", "FR", 0, 0, 0, "0", "0", "5.00", "-5.00", None),  # a refund alone
        (date(2026, 2, 5), 2, "Kitchen", "FR", 1, 0, 1, "40.00", "4.00", "0", "36.00", "36.00"),  # its refund: refused
        (date(2026, 2, 28), 3, "Garden", "DE", 1, 0, 3, "75.00", "0.01", "0", "74.99", "74.99"),
        (date(2026, 3, 15), 2, "Kitchen", "FR", 1, 0, 1, "10.00", "0.01", "0", "9.99", "9.99"),
        (date(2026, 5, 1), 2, "Kitchen", "BE", 1, 0, 1, "10.00", "0", "0", "10.00", "10.00"),
        (date(2026, 5, 20), 3, "Garden", "DE", 0, 1, 0, "0", "0", "0", "0", None),  # a cancelled order alone
    )  # fmt: skip


def test_sales_by_day(shop: Any) -> None:
    check(
        shop, "sales_by_day",
        # order 1 once, though of two categories: 2 pans + 1 spade + 1 pan, 20 + 25 + 10; aov (55 - 1) / 2
        (date(2026, 1, 10), 2, 1, 4, "55.00", "1.00", "2.50", "51.50", "27.00"),
        (date(2026, 1, 20), 0, 0, 0, "0", "0", "5.00", "-5.00", None),
        (date(2026, 2, 5), 1, 0, 1, "40.00", "4.00", "0", "36.00", "36.00"),
        (date(2026, 2, 28), 1, 0, 3, "75.00", "0.01", "0", "74.99", "74.99"),
        (date(2026, 3, 15), 1, 0, 1, "10.00", "0.01", "0", "9.99", "9.99"),
        (date(2026, 5, 1), 1, 0, 1, "10.00", "0", "0", "10.00", "10.00"),
        (date(2026, 5, 20), 0, 1, 0, "0", "0", "0", "0", None),
    )  # fmt: skip


def test_customer_360(shop: Any) -> None:
    # customer 1: orders 1, 4, 7; 10 January 10:00 to 1 May 00:00 are 110 days and 14 hours, over 2 gaps
    mean_1 = (110 + 14 / 24) / 2
    # customer 2: orders 2, 5; 10 January 23:30 to 28 February 22:30 are 49 days less an hour, over 1 gap
    mean_2 = 49 - 1 / 24
    check(
        shop, "customer_360",
        # gmv 45 + 40 + 10; ltv 95 - 1 - 4 - 5; aov 90 / 3. 1 May is 19 days ago. Of two buyers the better one of each
        # quintile has 1 below: 1 + floor(5 / 2) = 3. Kitchen: 2 + 1 + 1 units, Garden 1. 1 of 5 units came back.
        (1, "FR", utc(2026, 1, 10, 10), utc(2026, 5, 1), 3, "95.00", "85.00", "30.00", mean_1, 19, 3, 3, 3, "promising",
         True, 1 - 2 ** (-19 / mean_1), 2, "Kitchen", 0.2),
        # gmv 10 + 75; ltv 85 - 0.01 - 2.50; aov 84.99 / 2 = 42.495. 28 February: 31 + 30 + 20 = 81 days ago, which is
        # after 19 February, as of - 90, and 10 January before it. Garden: 3 units, Kitchen 1. 2 of 4 units came back.
        (2, "DE", utc(2026, 1, 10, 23, 30), utc(2026, 2, 28, 22, 30), 2, "85.00", "82.49", "42.50", mean_2, 81, 1, 1, 1,
         "hibernating", True, 1 - 2 ** (-81 / mean_2), 3, "Garden", 0.5),
        (3, "ES", None, None, 0, "0", "0", None, None, None, None, None, None, "prospect", False, None, None, None, None),
    )  # fmt: skip


def test_customer_retention_monthly(shop: Any) -> None:
    january = date(2026, 1, 1)
    check(
        shop, "customer_retention_monthly",
        (january, 0, 2, 2, 1.0), (january, 1, 2, 2, 1.0),  # February: orders 4 and 5, the latter by an hour and a half
        (january, 2, 2, 0, 0.0), (january, 3, 2, 0, 0.0),  # March has an order, but nobody's
        (january, 4, 2, 1, 0.5),  # May: order 7; order 8 is cancelled
    )  # fmt: skip


def test_inventory_health(shop: Any) -> None:
    check(
        shop, "inventory_health",
        # 30 and 31 January end with 3 and -1 (value 18 and -6). Sold 4 for 24: turnover 24 / 6; 1 / (4 / 2) days on
        # hand. At zero from 31 January 06:00 to midnight.
        (1, 1, date(2026, 1, 1), 4, "24.00", 1.0, 6.0, 4.0, 1, 18.0, 0.5, 2),
        # 1 February -1, eight days 4, three days 2: 37 in 12 days; value -6 + 8 * 29 + 3 * 15 = 271. Sold 4 for 28.
        # At -1 until 2 February; again at zero for no time on the 10th. On hand (37 / 12) / (4 / 12).
        (1, 1, date(2026, 2, 1), 4, "28.00", 37 / 12, 271 / 12, 28 * 12 / 271, 1, 24.0, 37 / 4, 2),
        # 10, 11, 12 February: 10, 10, 9; value 150, 150, 135
        (3, 2, date(2026, 2, 1), 0, "0", 29 / 3, 145.0, 0.0, 0, 0.0, None, None),
    )  # fmt: skip


def test_a_horizon_at_the_end_of_a_month_begins_no_other(shop: Any) -> None:
    """The midnight after a movement of 31 January is 1 February, of which no day is known."""
    run(shop, "DELETE FROM inventory_movements WHERE movement_id > 3")
    check(
        shop, "inventory_health",
        (1, 1, date(2026, 1, 1), 4, "24.00", 1.0, 6.0, 4.0, 1, 18.0, 0.5, 2),
    )  # fmt: skip


def test_logistics_performance(shop: Any) -> None:
    check(
        shop, "logistics_performance",
        # 24, 48, 96 hours: mean 56; at 0.9 * 2 = 1.8 stands 48 + 0.8 * 48. Two of three in time; 1 of 4 units came back.
        # Cost 5 + 3 + 4.01 for two orders: 6.005; gmv 20 + 25 + 10.
        (1, "Swift", date(2026, 1, 12), 3, 3, 56.0, 48.0, 86.4, 2 / 3, 0.25, "12.01", "6.01", 12.01 / 55),
        (1, "Swift", date(2026, 2, 2), 1, 0, None, None, None, None, None, "6.00", "6.00", 0.15),
        (2, "Steady", date(2026, 2, 23), 1, 1, 48.0, 48.0, 48.0, 1.0, 2 / 3, "9.99", "9.99", 9.99 / 75),
        (2, "Steady", date(2026, 3, 9), 1, 1, 24.0, 24.0, 24.0, 0.0, None, "1.00", "1.00", None),
    )  # fmt: skip


def test_facts(shop: Any) -> None:
    with answer("fct_order_items", shop) as (_, rows):
        assert list(rows)[3:6] == [
            (4, 3, 5, Decimal(40), Decimal(0), Decimal(200), True),
            (5, 4, 1, Decimal(40), Decimal(4), Decimal(40), False),
            (6, 5, 3, Decimal(25), Decimal("0.01"), Decimal(75), False),
        ]
    with answer("fct_stock_daily", shop) as (_, rows):
        stock = {tuple(key): (level, value) for *key, level, value in rows}
    assert len(stock) == 14 + 3  # 30 January, and 10 February, to 12 February
    assert stock[date(2026, 1, 30), 1, 1] == (3, 18)
    assert stock[date(2026, 2, 1), 1, 1] == (-1, -6)
    assert stock[date(2026, 2, 12), 3, 2] == (9, 135)
    check(shop, "fct_returns", (1, 1, 1), (2, 6, 2))
    for table, count in {"fct_payments": 8, "fct_refunds": 5, "fct_shipments": 6}.items():
        with answer(table, shop) as (_, rows):
            assert len(list(rows)) == count


def order(connection: Any, number: int, customer: int, placed: str, price: int) -> None:
    run(connection, "INSERT INTO orders (order_id, customer_id, status, country, shipping_fee, tax, placed_at)"
        " VALUES (%s, %s, 'paid', 'FR', 0, 0, %s)", number, customer, placed)  # fmt: skip
    run(connection, "INSERT INTO order_items (order_item_id, order_id, line_no, product_id, quantity, unit_price,"
        " unit_cost, discount) VALUES (%s, %s, 1, 1, 1, %s, 0, 0)", number, number, price)  # fmt: skip


def test_quintiles_and_segments(shop: Any) -> None:
    """Ten customers: number n ordered last (10 - n) * 20 days before the as-of day, and every 45 days before that."""
    without_customers(shop, 10)
    #        1  2  3  4  5  6  7  8  9  10
    orders = 1, 3, 1, 2, 4, 1, 2, 1, 5, 3
    ltv = 10, 30, 20, 80, 70, 40, 90, 50, 100, 60
    for customer, (count, money) in enumerate(zip(orders, ltv, strict=True), 1):
        for back in range(count):
            day = date.fromordinal(date(2026, 12, 31).toordinal() - (10 - customer) * 20 - back * 45)
            order(shop, customer * 10 + back, customer, f"{day} 12:00", 1 if back else money - count + 1)
    with answer("customer_360", shop) as (_, rows):
        found = {row[0]: (*row[10:13], row[13], row[14]) for row in rows}
    # Of ten, below / 2 rounded down, plus 1. Orders: four have 1 (F 1), two 2 (4 below: 3), two 3 (6: 4), 4 (8: 5), 5 (5).
    # Retained: within the days 0..89 and 90..179 ago. 10 ordered 0, 45, 90 days ago; 9: 20, 65, 110; 7: 60, 105.
    assert found == {
        1: (1, 1, 1, "hibernating", False), 2: (1, 4, 2, "at_risk", False), 3: (2, 1, 1, "hibernating", False),
        4: (2, 3, 4, "at_risk", False), 5: (3, 5, 4, "loyal", False), 6: (3, 1, 2, "promising", False),
        7: (4, 3, 5, "big_spender", True), 8: (4, 1, 3, "new", False), 9: (5, 5, 5, "champion", True),
        10: (5, 4, 3, "loyal", True),
    }  # fmt: skip


def test_a_customer_of_two_orders_at_once_who_left_long_ago(shop: Any) -> None:
    """2^-2922 is too small for a double: the risk is 1."""
    without_customers(shop, 1)
    order(shop, 1, 1, "2018-05-01 12:00", 10)
    order(shop, 2, 1, "2018-05-01 12:00", 10)
    run(shop, GUEST_ORDER, "2026-05-01")
    with answer("customer_360", shop) as (columns, rows):
        found = dict(zip(columns, next(rows), strict=True))
    assert (found["mean_days_between_orders"], found["recency_days"], found["churn_risk"]) == (0, 2922, 1)


def test_cohorts_over_the_turn_of_a_year(shop: Any) -> None:
    without_customers(shop, 3)
    order(shop, 1, 1, "2018-12-31 23:59:59.999999", 10)
    order(shop, 2, 1, "2019-02-01", 10)
    order(shop, 3, 2, "2019-01-15", 10)
    run(shop, GUEST_ORDER, "2019-02-10")
    december, january = date(2018, 12, 1), date(2019, 1, 1)
    check(
        shop, "customer_retention_monthly",
        (december, 0, 1, 1, 1.0), (december, 1, 1, 0, 0.0), (december, 2, 1, 1, 1.0),
        (january, 0, 1, 1, 1.0), (january, 1, 1, 0, 0.0),
    )  # fmt: skip
