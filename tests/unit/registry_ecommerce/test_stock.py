"""Stock by day and by month against numbers worked out by hand: levels, values, outages and how it turned over."""

from datetime import UTC, date, datetime
from typing import Any

from pyspark.sql import SparkSession

from lakehouse.registry.loader import Registry
from lakehouse.testing import local_frame

BEGINNING, END = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
_OWN = "date date, product_id bigint, warehouse_id int"
JAN_30, JAN_31, FEB_1 = date(2026, 1, 30), date(2026, 1, 31), date(2026, 2, 1)


def _movements(*values: tuple[Any, ...]) -> list[dict[str, Any]]:
    """Movements in the one warehouse, in the order of their numbers."""
    names = ("product_id", "moved_at", "kind", "quantity", "unit_cost")
    return [
        {"movement_id": number, "warehouse_id": 1, **dict(zip(names, row, strict=True))}
        for number, row in enumerate(values, start=1)
    ]


def test_each_day_has_the_level_and_value_at_its_end(transform: Any, assert_rows: Any) -> None:
    """From the first movement of each product to the last of all; a few days alone come out as they do in the whole."""
    movements = _movements(
        (1, "2026-01-30T12:00:00", "receipt", 10, "2.00"),
        (1, "2026-01-31T08:00:00", "sale", -4, "2.00"),
        (2, "2026-02-01T23:59:59", "receipt", 1, "5.00"),
    )
    noon = datetime(2026, 1, 31, 12, tzinfo=UTC)
    products = [
        {"product_key": 11, "product_id": 1, "lookup_from": BEGINNING, "lookup_to": noon},
        {"product_key": 12, "product_id": 1, "lookup_from": noon, "lookup_to": END},
    ]
    names = ["date", "date_key", "product_id", "product_key", "opening_quantity", "quantity", "value"]
    expected = [dict(zip(names, values, strict=True)) for values in [
        (JAN_30, 20260130, 1, 11, None, 10, "20.00"),
        (JAN_31, 20260131, 1, 12, 10, 6, "12.00"),
        (FEB_1, 20260201, 1, 12, 6, 6, "12.00"),
        (FEB_1, 20260201, 2, -1, None, 1, "5.00"),
    ]]  # fmt: skip
    inputs = {"movements": movements, "products": products}
    assert_rows(transform("fct_stock_daily", **inputs).select(*names), expected)
    pair = {"product_id": 1, "warehouse_id": 1}
    own = [
        {"date": JAN_30, **pair, "quantity": 10, "value": "20.00"},
        {"date": FEB_1, **pair, "quantity": 7, "value": "9.00"},
    ]
    kinds = {"own": "date date, quantity bigint, value decimal(18,2)"}
    for days, count in (([FEB_1, JAN_31], 3), ([JAN_31], 2)):  # what was on the days to be made is of no account
        parts = [{"date": day, **pair} for day in days]
        made = transform("fct_stock_daily", **inputs, parts=parts, own=own, schemas=kinds)
        assert_rows(made.select(*names), expected[1:count])


def test_a_movement_touches_its_own_level_from_its_day_on_and_all_levels_on_days_that_had_none(
    spark: SparkSession, lakehouse_registry: Registry
) -> None:
    follow = lakehouse_registry.transformers["fct_stock_daily"].touched["movements"]
    ddl = "movement_id bigint, product_id bigint, warehouse_id int, moved_at timestamp"
    of_other = (0, 2, 1, datetime(2026, 1, 2, 9, tzinfo=UTC))

    def touched(before: list[int], after: list[int]) -> dict[int, list[int]]:
        """The days of January by product, of movements of the first on days that they are called by, beside one of another."""
        sides = [[(day, 1, 1, datetime(2026, 1, day, 9, tzinfo=UTC)) for day in days] for days in (before, after)]
        changed = local_frame(spark, sorted({*sides[0]} ^ {*sides[1]}), ddl)
        horizon = date(2026, 1, max([2, *before]))
        own = local_frame(spark, [(horizon, pair, 1) for pair in ([1, 2] if before else [2])], _OWN)
        inputs = [{"movements": local_frame(spark, [of_other, *side], ddl), "own": own} for side in sides]
        asked = [follow(changed, each).collect() for each in inputs]
        found = {(row["product_id"], row["date"].day) for rows in asked for row in rows}
        return {
            product: sorted(day for of, day in found if of == product) for product in sorted({of for of, _ in found})
        }

    assert touched([4, 7], [3, 4, 7]) == {1: [3, 4, 5, 6, 7]}  # a late correction
    assert touched([3, 4], [3, 4, 7]) == {1: [5, 6, 7], 2: [5, 6, 7]}  # the horizon was the midnight after the 4th
    assert touched([3, 4, 7], [3, 4]) == {1: [5, 6, 7], 2: [5, 6, 7]}
    assert touched([], [3, 4, 7]) == touched([3, 4, 7], []) == {1: [3, 4, 5, 6, 7], 2: [3, 4, 5, 6, 7]}


def test_a_version_of_a_product_touches_its_levels_in_each_warehouse(
    spark: SparkSession, lakehouse_registry: Registry
) -> None:
    follow = lakehouse_registry.transformers["fct_stock_daily"].touched["products"]
    moved = [(product, house, datetime(2026, 1, 30 + day, 9, tzinfo=UTC))
             for product, house in ((1, 1), (1, 2), (2, 1)) for day in (0, 1)]  # fmt: skip
    movements = local_frame(spark, moved, "product_id bigint, warehouse_id int, moved_at timestamp")
    ddl = "product_key bigint, product_id bigint, lookup_from timestamp, lookup_to timestamp"
    changed = local_frame(spark, [(11, 1, datetime(2026, 1, 31, 12, tzinfo=UTC), END)], ddl)
    own = local_frame(spark, [(JAN_31, product, house) for product, house in ((1, 1), (1, 2), (2, 1))], _OWN)
    rows = follow(changed, {"movements": movements, "own": own}).select("product_id", "warehouse_id", "date")
    found = {tuple(row) for row in rows.collect()}
    assert found == {(1, house, day) for house in (1, 2) for day in (JAN_30, JAN_31)}


def test_a_month_says_how_much_was_held_and_sold_and_how_long_nothing_was_there(
    transform: Any, assert_rows: Any
) -> None:
    movements = _movements(
        (1, "2026-01-30T12:00:00", "receipt", 4, "2.00"),
        (1, "2026-01-31T06:00:00", "sale", -4, "2.00"),  # nothing left, until March
        (1, "2026-03-01T18:00:00", "receipt", 5, "3.00"),
        (2, "2026-03-02T10:00:00", "receipt", 2, "1.00"),
        (2, "2026-03-02T11:00:00", "sale", -2, "1.00"),  # an incident, though it is over at once
        (2, "2026-03-02T11:00:00", "receipt", 3, "1.00"),
        (2, "2026-03-02T12:00:00", "sale", -5, "1.00"),  # to -2: another one, until 20:00
        (2, "2026-03-02T13:00:00", "sale", -1, "1.00"),
        (2, "2026-03-02T15:30:00", "correction", 3, "1.00"),  # zero is still out
        (2, "2026-03-02T20:00:00", "return", 1, "1.00"),
        (3, "2026-03-02T18:00:00", "sale", -1, "1.00"),  # it was never above zero: no incident, but out to the horizon
    )
    stock = [row.asDict() for row in transform("fct_stock_daily", movements=movements).collect()]
    result = transform("inventory_monthly", movements=movements, stock=stock)
    names = ["product_id", "warehouse_id", "month", "days", "units_sold", "cost_of_goods_sold", "average_stock",
             "average_stock_value", "out_of_stock_incidents", "hours_out_of_stock"]  # fmt: skip
    january, february, march = (date(2026, month, 1) for month in (1, 2, 3))
    assert_rows(result, [dict(zip(names, values, strict=True)) for values in [
        (1, 1, january, 2, 4, "8.00", 2.0, 4.0, 1, 18.0),  # levels 4 and 0
        (1, 1, february, 28, 0, "0.00", 0.0, 0.0, 0, 28 * 24.0),
        (1, 1, march, 2, 0, "0.00", 5.0, 15.0, 0, 18.0),
        (2, 1, march, 1, 8, "8.00", 1.0, 1.0, 2, 8.0),
        (3, 1, march, 1, 1, "1.00", -1.0, -1.0, 0, 6.0),
    ]], precision=1e-12)  # fmt: skip


def test_a_changed_level_touches_all_months_of_its_product_and_warehouse(
    spark: SparkSession, lakehouse_registry: Registry
) -> None:
    follow = lakehouse_registry.transformers["inventory_health"].touched["levels"]
    months = [(1, 1, JAN_30), (1, 1, FEB_1), (1, 2, FEB_1), (2, 1, FEB_1)]
    monthly = local_frame(spark, months, "product_id int, warehouse_id int, month date")
    changed = local_frame(spark, [(1, 1, 5), (1, 1, 6), (3, 3, 0)], "product_id int, warehouse_id int, quantity int")
    assert sorted(map(tuple, follow(changed, {"monthly": monthly}).collect())) == months[:2]


def test_stock_turns_over_where_there_is_any_and_lasts_where_any_is_sold(transform: Any, assert_rows: Any) -> None:
    january, february = date(2026, 1, 1), date(2026, 2, 1)
    names = ["product_id", "month", "days", "units_sold", "cost_of_goods_sold", "average_stock", "average_stock_value"]
    monthly = [dict(zip(names, values, strict=True)) for values in [
        (1, january, 2, 4, "8.00", 2.0, 4.0),
        (1, february, 28, 0, "0.00", 5.0, 15.0),
        (2, january, 31, 10, "10.00", 0.0, 0.0),
        (3, january, 1, 1, "1.00", -1.0, -1.0),
    ]]  # fmt: skip
    result = transform(
        "inventory_health",
        monthly=[{**row, "warehouse_id": 1, "out_of_stock_incidents": 0, "hours_out_of_stock": 0.0} for row in monthly],
        levels=[
            {"product_id": 1, "warehouse_id": 1, "quantity": 7},
            {"product_id": 2, "warehouse_id": 2, "quantity": 9},
        ],
        schemas={"monthly": "cost_of_goods_sold decimal(18,2)"},
    )
    names = ["product_id", "month", "turnover_rate", "days_on_hand", "stock_now"]
    assert_rows(result.select(*names), [dict(zip(names, values, strict=True)) for values in [
        (1, january, 2.0, 1.0, 7),  # 8 / 4; 2 / (4 / 2)
        (1, february, 0.0, None, 7),
        (2, january, None, 0.0, None),  # the level at the source is that of another warehouse
        (3, january, None, -1.0, None),
    ]], precision=1e-12)  # fmt: skip
