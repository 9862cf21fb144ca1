"""Lines of orders and payments: which version of customer and product they point to, and what they are worth."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from pyspark.sql import SparkSession

from lakehouse.registry.loader import Registry
from lakehouse.testing import local_frame

MARCH = datetime(2026, 3, 1, tzinfo=UTC)
BEGINNING, END = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
CUSTOMERS = [
    {"customer_key": 71, "customer_id": 7, "lookup_from": BEGINNING, "lookup_to": MARCH},
    {"customer_key": 72, "customer_id": 7, "lookup_from": MARCH, "lookup_to": END},
]


def test_a_line_points_to_the_versions_that_were_valid_when_the_order_was_placed(
    transform: Any, assert_rows: Any
) -> None:
    placed = {1: (7, "2026-02-28T23:59:59.999999"), 2: (7, "2026-03-01T00:00:00"), 3: (7, "2019-05-05T00:00:00"),
              4: (None, "2026-03-05T00:00:00"), 5: (9, "2026-03-05T00:00:00")}  # fmt: skip
    result = transform(
        "fct_order_items",
        orders=[{"order_id": n, "customer_id": customer, "placed_at": at} for n, (customer, at) in placed.items()],
        items=[{"order_item_id": 10 * n, "order_id": n, "product_id": 5 if n != 3 else 6} for n in (*placed, 99)],
        customers=CUSTOMERS,
        products=[{"product_key": 51, "product_id": 5, "lookup_from": BEGINNING, "lookup_to": END}],
    )
    names = ["order_item_id", "date_key", "customer_id", "customer_key", "product_key"]
    assert_rows(result.select(*names), [dict(zip(names, values, strict=True)) for values in [
        (10, 20260228, 7, 71, 51),
        (20, 20260301, 7, 72, 51),
        (30, 20190505, 7, 71, -1),  # before all that is known: the oldest version; the product is not known
        (40, 20260305, None, -1, 51),
        (50, 20260305, 9, -1, 51),
    ]])  # fmt: skip


def test_a_line_is_worth_its_units_and_tells_whether_it_counts(transform: Any, assert_rows: Any) -> None:
    line = {"order_id": 1, "product_id": 5, "discount": "0.50"}
    result = transform(
        "fct_order_items",
        orders=[
            {"order_id": 1, "status": "delivered", "country": "DE", "placed_at": "2026-01-05T23:30:00"},
            {"order_id": 2, "status": "cancelled", "country": "FR", "placed_at": "2026-01-06T00:30:00"},
        ],
        items=[
            {**line, "order_item_id": 10, "quantity": 3, "unit_price": "1.05", "unit_cost": "0.99"},
            {**line, "order_item_id": 20, "order_id": 2, "quantity": 2, "unit_price": "0.00", "unit_cost": None},
        ],
    )
    names = ["order_item_id", "order_date", "country", "is_cancelled", "gmv", "discount", "cost"]
    assert_rows(result.select(*names), [dict(zip(names, values, strict=True)) for values in [
        (10, "2026-01-05", "DE", False, "3.15", "0.50", "2.97"),
        (20, "2026-01-06", "FR", True, "0.00", "0.50", None),
    ]])  # fmt: skip


def test_a_payment_stands_on_its_day_else_on_that_of_its_request(transform: Any, assert_rows: Any) -> None:
    asked = "2026-02-20T10:00:00"
    result = transform(
        "fct_payments",
        orders=[{"order_id": 1, "customer_id": 7}],
        payments=[
            {"payment_id": 1, "order_id": 1, "status": "paid", "amount": "9.99", "created_at": asked, "paid_at": MARCH},
            {"payment_id": 2, "order_id": 1, "status": "failed", "amount": "9.99", "created_at": asked},
        ],
        customers=CUSTOMERS,
    )
    common = {"order_id": 1, "method": None, "amount": Decimal("9.99")}
    assert_rows(result, [
        {"payment_id": 1, "status": "paid", "payment_date": date(2026, 3, 1), "date_key": 20260301, "customer_key": 72,
         **common},
        {"payment_id": 2, "status": "failed", "payment_date": date(2026, 2, 20), "date_key": 20260220, "customer_key": 71,
         **common},
    ])  # fmt: skip


def test_a_new_version_touches_only_what_now_points_to_it(spark: SparkSession, lakehouse_registry: Registry) -> None:
    """Before: one version of customer 7. After: another one from March on; customer 8 only got another country."""
    changed = local_frame(
        spark,
        [(7, 71, BEGINNING, END), (7, 71, BEGINNING, MARCH), (7, 72, MARCH, END), *[(8, 81, BEGINNING, END)] * 2],
        "customer_id bigint, customer_key bigint, lookup_from timestamp, lookup_to timestamp",
    )
    february, april = datetime(2026, 2, 28, 23, 59, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
    orders = local_frame(
        spark,
        [(1, 7, february), (2, 7, MARCH), (3, 7, april), (4, 8, april), (5, None, april)],
        "order_id bigint, customer_id bigint, placed_at timestamp",
    )
    payments = local_frame(
        spark,
        [(1, february, april), (2, MARCH, None), (3, february, None), (4, april, april)],
        "order_id bigint, created_at timestamp, paid_at timestamp",
    )

    def touched(table: str, **inputs: Any) -> set[int]:
        follow: Callable[..., Any] = lakehouse_registry.transformers[table].touched["customers"]
        return {row["order_id"] for row in follow(changed, inputs).collect()}

    assert touched("fct_order_items", orders=orders) == {2, 3}
    assert touched("fct_payments", orders=orders, payments=payments) == {1, 2}  # order 1 was paid in April
