"""Marts of customers against numbers worked out by hand from docs/ecommerce.md."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from lakehouse.registry.loader import Registry
from lakehouse.testing import local_frame

MONEY = "gmv decimal(18,2), discounts decimal(18,2), refunds decimal(18,2)"


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _rows(names: str, *values: tuple[Any, ...]) -> list[dict[str, Any]]:
    return [dict(zip(names.split(), row, strict=True)) for row in values]


def test_all_that_is_known_of_each_customer(transform: Any, assert_rows: Any) -> None:
    """The as-of day is 8 January: that of the latest order, though it is cancelled."""
    totals = _rows(
        "customer_id first_order_at last_order_at orders gmv discounts refunds units returned_units favourite_category_id",
        (1, _at("2026-01-01T00:00"), _at("2026-01-04T12:00"), 3, "100.03", "0.02", "10.00", 4, 1, 20),
        (2, _at("2026-01-07T08:00"), _at("2026-01-07T20:00"), 2, "100.01", "0.00", "0.00", 2, 0, 10),
        (3, _at("2026-01-08T09:00"), _at("2026-01-08T09:00"), 1, "5.00", "0.00", "7.50", 0, 0, None),
    )
    result = transform(
        "customer_360",
        customers=[{"customer_id": number, "country": "DE"} for number in (1, 2, 3, 4)],
        totals=totals,
        orders=[{"order_id": 9, "customer_id": 4, "status": "cancelled", "placed_at": "2026-01-08T23:00:00"}],
        categories=[{"category_id": 10, "name": "Toys"}, {"category_id": 20, "name": "Books"}],
        schemas={"totals": MONEY},
    )
    known = _rows(
        "customer_id first_order_at last_order_at orders gmv ltv aov mean_days_between_orders recency_days churn_risk "
        "return_rate favourite_category_id favourite_category",
        # 3.5 days in two gaps; aov 100.01 / 3
        (1, "2026-01-01T00:00", "2026-01-04T12:00", 3, "100.03", "90.01", "33.34", 1.75, 4, 1 - 2 ** (-4 / 1.75), 0.25,
         20, "Books"),
        # half a day, of which the risk makes a whole one; aov 50.005, half up
        (2, "2026-01-07T08:00", "2026-01-07T20:00", 2, "100.01", "100.01", "50.01", 0.5, 1, 0.5, 0.0, 10, "Toys"),
        # more was paid back than paid; no rhythm yet; units are not known
        (3, "2026-01-08T09:00", "2026-01-08T09:00", 1, "5.00", "-2.50", "5.00", None, 0, 0.0, None, None, None),
        (4, None, None, 0, "0.00", "0.00", None, None, None, None, None, None, None),
    )  # fmt: skip
    # of three, one below makes 1 + ⌊5/3⌋ = 2 and two make 1 + ⌊10/3⌋ = 4
    scores = _rows(
        "recency_quintile frequency_quintile monetary_quintile segment",
        (1, 4, 2, "at_risk"),
        (2, 2, 4, "at_risk"),
        (4, 1, 1, "new"),
        (None, None, None, "prospect"),
    )
    expected = [{**a, **b, "country": "DE", "retained": False} for a, b in zip(known, scores, strict=True)]
    assert_rows(result, expected, precision=1e-12)


def test_each_segment_has_its_customer(transform: Any, assert_rows: Any) -> None:
    """Ten customers: each that stands strictly below is half a step of a quintile."""
    as_of = _at("2026-06-30T12:00")
    customers = _rows(
        "name days_ago orders ltv recency_quintile frequency_quintile monetary_quintile segment",
        ("champion", 1, 9, 900, 5, 5, 5, "champion"),
        ("frequent, recent, cheap", 10, 8, 50, 4, 5, 3, "loyal"),
        ("frequent, dear, not of late", 60, 7, 800, 3, 4, 4, "loyal"),
        ("first order", 5, 1, 20, 5, 1, 2, "new"),
        ("dear", 20, 5, 1000, 4, 3, 5, "big_spender"),
        ("neither", 50, 2, 30, 3, 2, 2, "promising"),
        ("was frequent", 100, 6, 40, 2, 4, 3, "at_risk"),
        ("was dear", 90, 2, 700, 2, 2, 4, "at_risk"),
        ("long ago, once", 400, 1, 5, 1, 1, 1, "hibernating"),
        ("long ago", 300, 2, 10, 1, 2, 1, "hibernating"),
    )
    last = [{**row, "last_order_at": as_of - timedelta(days=row["days_ago"])} for row in customers]
    result = transform(
        "customer_360",
        customers=[{"customer_id": number} for number in range(10)],
        totals=[
            {"customer_id": number, "first_order_at": row["last_order_at"], "last_order_at": row["last_order_at"],
             "orders": row["orders"], "gmv": row["ltv"], "discounts": 0, "refunds": 0, "units": 1, "returned_units": 0}
            for number, row in enumerate(last)
        ],
        orders=[{"status": "placed", "placed_at": as_of}],
        schemas={"totals": MONEY},
    )  # fmt: skip
    scores = ["recency_quintile", "frequency_quintile", "monetary_quintile", "segment"]
    expected = [{"customer_id": n, **{name: row[name] for name in scores}} for n, row in enumerate(customers)]
    found = result.selectExpr("customer_id", *scores, "churn_risk BETWEEN 0 AND 1 AS is_bounded")
    assert_rows(found, [{**row, "is_bounded": True} for row in expected])


def test_retained_is_who_ordered_in_both_stretches_of_ninety_days(transform: Any) -> None:
    as_of = _at("2026-06-30T00:00")
    ages = {
        1: [(0, "placed"), (90, "paid")],
        2: [(89, "placed"), (179, "delivered")],
        3: [(89, "placed"), (180, "delivered")],
        4: [(90, "placed"), (179, "delivered")],
        5: [(0, "placed"), (90, "cancelled")],
        None: [(0, "placed"), (90, "placed")],
    }
    orders = [
        {"customer_id": customer, "status": status, "placed_at": as_of - timedelta(days=age)}
        for customer, placed in ages.items() for age, status in placed
    ]  # fmt: skip
    customers = [{"customer_id": number} for number in ages if number]
    found = transform("customer_360", customers=customers, orders=orders).select("customer_id", "retained").collect()
    assert dict(map(tuple, found)) == {1: True, 2: True, 3: False, 4: False, 5: False}


def test_totals_are_of_orders_that_count(transform: Any, assert_rows: Any) -> None:
    """Customer 1 bought two units in each of three categories: 30.00 in the second and third; customer 2 has no lines."""
    orders = _rows(
        "order_id customer_id status placed_at",
        (1, 1, "paid", "2026-01-01T10:00"), (2, 1, "delivered", "2026-01-03T10:00"), (3, 1, "cancelled", "2026-01-09T10:00"),
        (4, 2, "placed", "2026-01-02T10:00"), (5, None, "paid", "2026-01-02T10:00"), (6, 3, "cancelled", "2026-01-02T10:00"),
    )  # fmt: skip
    items = _rows(
        "customer_id product_id quantity gmv discount is_cancelled",
        (1, 11, 2, "10.00", "1.00", False), (1, 13, 2, "30.00", "0.50", False), (1, 12, 1, "20.00", "0", False),
        (1, 12, 1, "10.00", "0", False), (1, 11, 9, "99.00", "9.00", True), (None, 11, 5, "50.00", "0", False),
    )  # fmt: skip
    result = transform(
        "customer_totals",
        orders=orders,
        items=items,
        products=[{"product_id": number, "category_id": number - 10} for number in (11, 12, 13)],
        refunds=_rows("customer_id amount counts", (1, "4.00", True), (1, "50.00", False)),
        returns=_rows("customer_id quantity is_cancelled", (1, 1, False), (1, 5, True)),
        schemas={"items": "gmv decimal(18,2), discount decimal(10,2)", "refunds": "amount decimal(10,2)"},
    )
    assert_rows(result, _rows(
        "customer_id first_order_at last_order_at orders gmv discounts refunds units returned_units favourite_category_id",
        (1, "2026-01-01T10:00", "2026-01-03T10:00", 2, "70.00", "1.50", "4.00", 6, 1, 2),
        (2, "2026-01-02T10:00", "2026-01-02T10:00", 1, "0.00", "0.00", "0.00", 0, 0, None),
    ))  # fmt: skip


def test_cohorts_are_followed_to_the_month_of_the_latest_order(transform: Any, assert_rows: Any) -> None:
    orders = _rows(
        "customer_id status placed_at",
        (1, "cancelled", "2025-12-30T00:00"), (1, "paid", "2026-01-31T23:59"), (1, "paid", "2026-03-01T00:00"),
        (2, "paid", "2026-01-01T00:00"), (2, "paid", "2026-01-20T00:00"), (3, "paid", "2026-02-10T00:00"),
        (4, "cancelled", "2026-04-02T00:00"), (None, "paid", "2026-01-01T00:00"),
    )  # fmt: skip
    january, february = date(2026, 1, 1), date(2026, 2, 1)
    first = ((1, "2026-01-31T23:59"), (2, "2026-01-01T00:00"), (3, "2026-02-10T00:00"))
    inputs = {"orders": orders, "totals": _rows("customer_id first_order_at", *first)}
    expected = _rows(
        "cohort_month months_since customers retained retention_rate",
        (january, 0, 2, 2, 1.0), (january, 1, 2, 0, 0.0), (january, 2, 2, 1, 0.5), (january, 3, 2, 0, 0.0),
        (february, 0, 1, 1, 1.0), (february, 1, 1, 0, 0.0), (february, 2, 1, 0, 0.0),
    )  # fmt: skip
    assert_rows(transform("customer_retention_monthly", **inputs), expected)
    march = [{"cohort_month": january, "months_since": 2}]
    some = transform("customer_retention_monthly", **inputs, parts=march)
    assert_rows(some.where("cohort_month = DATE'2026-01-01' AND months_since = 2"), [expected[2]])


def test_a_changed_order_touches_its_month_in_its_cohort_and_a_later_one_all_cohorts(
    spark: SparkSession, lakehouse_registry: Registry
) -> None:
    totals = local_frame(
        spark,
        [(1, _at("2026-01-31T23:59")), (2, _at("2026-02-10T00:00"))],
        "customer_id bigint, first_order_at timestamp",
    )
    follow = lakehouse_registry.transformers["customer_retention_monthly"].touched
    january, february = date(2026, 1, 1), date(2026, 2, 1)

    def touched(name: str, changed: DataFrame, *placed: str) -> set[tuple[Any, ...]]:
        known = local_frame(spark, [(9, _at(at)) for at in placed], "customer_id bigint, placed_at timestamp")
        found = follow[name](changed, {"orders": known, "totals": totals}).select("cohort_month", "months_since")
        return set(map(tuple, found.collect()))

    orders = local_frame(spark, [(1, _at("2026-03-05T00:00"))], "customer_id bigint, placed_at timestamp")
    assert touched("orders", orders, "2026-04-01T00:00") == {(january, 2)}
    beyond = {(january, 1), (january, 2), (february, 0), (february, 1)}
    assert touched("orders", orders, "2026-02-10T00:00") == beyond
    assert touched("totals", totals.limit(1), "2026-03-01T00:00") == {(january, number) for number in range(3)}
    assert touched("totals", totals.limit(1).union(totals.limit(1)), "2026-03-01T00:00") == set()
