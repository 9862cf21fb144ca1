"""What the shop sold, by category and over all of them, from the same few orders; numbers by hand."""

from datetime import date
from typing import Any

from pyspark.sql import SparkSession

from lakehouse.registry.loader import Registry
from lakehouse.testing import local_frame

JAN_5, JAN_7 = date(2026, 1, 5), date(2026, 1, 7)
MONEY = {"items": "gmv decimal(18,2), discount decimal(10,2)", "refunds": "amount decimal(10,2)"}
PRODUCTS = [{"product_id": number, "category_id": category} for number, category in ((1, 10), (2, 20), (3, 10))]


def _line(order: int, product: int, quantity: int, gmv: str, discount: str = "0", **more: Any) -> dict[str, Any]:
    return {"order_id": order, "product_id": product, "quantity": quantity, "gmv": gmv, "discount": discount,
            "order_date": JAN_5, "country": "DE", "is_cancelled": False, **more}  # fmt: skip


ITEMS = [
    _line(100, 1, 2, "20.00", "1.00"),
    _line(100, 3, 1, "0.01"),
    _line(100, 2, 1, "5.00"),
    _line(101, 1, 1, "10.00"),
    _line(102, 1, 9, "90.00", "9.00", is_cancelled=True),
    _line(103, 2, 1, "5.00", country="FR", is_cancelled=True),
]
REFUNDS = [
    {"product_id": 2, "refund_date": JAN_7, "country": "DE", "amount": "5.00", "counts": True},
    {"product_id": 2, "refund_date": JAN_7, "country": "DE", "amount": "7.00", "counts": False},
]
MEASURES = ["orders", "cancelled_orders", "units", "gmv", "discounts", "refunds", "net_revenue", "aov"]


def test_sales_are_those_of_each_day_category_and_country(transform: Any, assert_rows: Any) -> None:
    """An order counts once in each of its categories, a cancelled one apart; a refund on the day it was paid out."""
    categories = [{"category_id": 10, "name": "Toys"}, {"category_id": 20, "name": "Books"}]
    result = transform(
        "sales_daily", items=ITEMS, refunds=REFUNDS, products=PRODUCTS, categories=categories, schemas=MONEY
    )
    names = ["date", "category_id", "category", "country", *MEASURES]
    assert_rows(result, [dict(zip(names, values, strict=True)) for values in [
        # 20.00 + 0.01 + 10.00; aov (30.01 - 1.00) / 2 = 14.505, half up
        (JAN_5, 10, "Toys", "DE", 2, 1, 4, "30.01", "1.00", "0.00", "29.01", "14.51"),
        (JAN_5, 20, "Books", "DE", 1, 0, 1, "5.00", "0.00", "0.00", "5.00", "5.00"),
        (JAN_5, 20, "Books", "FR", 0, 1, 0, "0.00", "0.00", "0.00", "0.00", None),
        (JAN_7, 20, "Books", "DE", 0, 0, 0, "0.00", "0.00", "5.00", "-5.00", None),
    ]])  # fmt: skip


def test_over_all_categories_an_order_counts_once(transform: Any, assert_rows: Any) -> None:
    placed = {100: "paid", 101: "delivered", 102: "cancelled", 103: "cancelled"}
    orders = [{"order_id": n, "status": status, "placed_at": "2026-01-05T23:59:59"} for n, status in placed.items()]
    result = transform(
        "sales_by_day", orders=orders, fct_order_items=ITEMS, fct_refunds=REFUNDS,
        schemas={"fct_order_items": MONEY["items"], "fct_refunds": MONEY["refunds"]},
    )  # fmt: skip
    assert_rows(result, [dict(zip(["date", *MEASURES], values, strict=True)) for values in [
        # aov (35.01 - 1.00) / 2 = 17.005, half up
        (JAN_5, 2, 2, 5, "35.01", "1.00", "0.00", "34.01", "17.01"),
        (JAN_7, 0, 0, 0, "0.00", "0.00", "5.00", "-5.00", None),
    ]])  # fmt: skip


def test_a_product_in_another_category_touches_its_sales_in_both_and_its_buyers(
    spark: SparkSession, lakehouse_registry: Registry
) -> None:
    """Before and after: product 1 moves, 2 only has another price, 3 is new."""
    changed = local_frame(spark, [(1, 10), (1, 20), (2, 20), (2, 20), (3, 10)], "product_id int, category_id int")
    days = [date(2026, 1, number) for number in range(1, 7)]
    sold = [(1, days[0], "SE"), (2, days[1], "SE"), (3, days[2], "NO"), (4, days[3], "SE")]
    items = local_frame(spark, sold, "product_id int, order_date date, country string")
    refunds = local_frame(
        spark, [(1, days[4], "FI"), (2, days[5], "SE")], "product_id int, refund_date date, country string"
    )
    follow = lakehouse_registry.transformers["sales_daily"].touched
    found = follow["products"](changed, {"items": items, "refunds": refunds}).collect()
    assert {tuple(row) for row in found} == {
        (days[0], 10, "SE"),
        (days[0], 20, "SE"),
        (days[2], 10, "NO"),
        (days[4], 10, "FI"),
        (days[4], 20, "FI"),
    }
    products = {"products": local_frame(spark, [(1, 20), (2, 20)], "product_id int, category_id int")}
    assert [tuple(row) for row in follow["items"](items.limit(1), products).collect()] == [(days[0], 20, "SE")]
    assert {tuple(row) for row in follow["refunds"](refunds, products).collect()} == {
        (days[4], 20, "FI"),
        (days[5], 20, "SE"),
    }
    renamed = local_frame(spark, [(10, "Toys"), (10, "Games")], "category_id int, name string")
    everything = {"items": items, "refunds": refunds, "products": products["products"].replace(20, 10).limit(1)}
    assert {tuple(row) for row in follow["categories"](renamed, everything).collect()} == {
        (days[0], 10, "SE"),
        (days[4], 10, "FI"),
    }
    buyers = lakehouse_registry.transformers["customer_totals"].touched["products"]
    bought = local_frame(spark, [(1, 71), (2, 72), (3, 73), (4, 74)], "product_id int, customer_id bigint")
    assert {row["customer_id"] for row in buyers(changed, {"items": bought}).collect()} == {71, 73}
