"""Versions of customers and products, keys, the calendar and the tree of categories, by docs/ecommerce.md."""

from datetime import UTC, date, datetime
from typing import Any

from pyspark.sql import SparkSession

from lakehouse.registry.loader import Registry
from lakehouse.testing import local_frame


def _version(number: int, country: str, valid_from: str, valid_to: str | None) -> dict[str, Any]:
    return {"customer_id": number, "country": country, "valid_from": valid_from, "valid_to": valid_to,
            "is_current": valid_to is None}  # fmt: skip


def test_at_any_moment_a_fact_finds_just_one_version_of_a_customer(transform: Any, assert_rows: Any) -> None:
    history = [
        _version(7, "DE", "2026-01-10", "2026-03-01"),
        _version(7, "FR", "2026-03-01", None),
        _version(8, "IT", "2026-02-01", "2026-02-20"),  # gone: its last version counts for ever
    ]
    found = transform("dim_customer", customers_history=history).where("customer_key <> -1")
    times = found.selectExpr("country", "valid_from", "valid_to", "is_current", "lookup_to",
                             "if(lookup_from < '1000-01-01', NULL, lookup_from) AS lookup_from")  # fmt: skip
    assert_rows(times, [dict(zip(times.columns, values, strict=True)) for values in [
        ("DE", "2026-01-10", "2026-03-01", False, "2026-03-01", None),
        ("FR", "2026-03-01", None, True, "9999-12-31", "2026-03-01"),
        ("IT", "2026-02-01", "2026-02-20", False, "9999-12-31", None),
    ]])  # fmt: skip


def test_each_dimension_has_one_unknown_member(transform: Any, assert_rows: Any) -> None:
    unknown = {
        "dim_customer": {"customer_key": -1, "customer_id": -1},
        "dim_product": {"product_key": -1, "product_id": -1, "category_key": -1},
        "dim_category": {"category_key": -1, "category_id": -1},
        "dim_warehouse": {"warehouse_key": -1, "warehouse_id": -1},
        "dim_carrier": {"carrier_key": -1, "carrier_id": -1},
    }
    for table, keys in unknown.items():
        found = transform(table)
        assert_rows(found, [dict.fromkeys(found.columns) | keys])


def test_keys_depend_on_the_natural_key_alone(transform: Any) -> None:
    """Facts of earlier runs hold them: the numbers below are XXH64 with seed 42, reckoned apart from Spark."""
    carriers = transform("dim_carrier", carriers=[{"carrier_id": 3, "name": "Snail"}]).where("carrier_id = 3")
    assert carriers.first()["carrier_key"] == 3286614479096879038
    versions = [_version(7, "DE", "2026-01-10", "2026-03-01"), _version(7, "FR", "2026-03-01", None)]
    early = _version(7, "IT", "2025-05-05", "2026-01-10")  # seen later, and before all others

    def keys(history: list[dict[str, Any]]) -> dict[str, int]:
        rows = transform("dim_customer", customers_history=history).where("customer_id = 7").collect()
        return {row["country"]: row["customer_key"] for row in rows}

    once, again = keys(versions), keys([early, *versions])
    assert once == {country: again[country] for country in ("DE", "FR")}
    assert once["FR"] == -2383590875053180745  # of '7', then of '2026-03-01 00:00:00'
    assert len({*again.values(), -1}) == 4


def test_the_calendar_goes_from_the_year_before_the_first_order_to_the_year_after_the_last(
    transform: Any, assert_rows: Any
) -> None:
    orders = [{"placed_at": "2026-02-10T08:00:00"}, {"placed_at": "2027-12-31T23:59:59"}]
    found = transform("dim_date", orders=orders).cache()
    known = found.where("date_key <> -1")
    assert (found.count(), known.count()) == (1462, 1461)  # 2025 to 2028: 4 × 365 and one for 29 February 2028
    assert (known.agg({"date": "min"}).first()[0], known.agg({"date": "max"}).first()[0]) == (
        date(2025, 1, 1),
        date(2028, 12, 31),
    )
    saturday = {"date_key": 20261031, "date": "2026-10-31", "year": 2026, "quarter": 4, "month": 10,
                "month_start": "2026-10-01", "week_start": "2026-10-26", "day_of_week": 6, "is_weekend": True}  # fmt: skip
    assert_rows(found.where("date_key IN (20261031, -1)"), [saturday, dict.fromkeys(saturday) | {"date_key": -1}])


def test_the_calendar_is_touched_where_orders_lie_beyond_all_others(
    spark: SparkSession, lakehouse_registry: Registry
) -> None:
    follow = lakehouse_registry.transformers["dim_date"].touched["orders"]

    def touched(before: list[int], after: list[int]) -> set[int]:
        """The years, of an order in each of these."""
        sides = [
            local_frame(spark, [(datetime(year, 6, 1, tzinfo=UTC),) for year in years], "placed_at timestamp")
            for years in (before, after)
        ]
        changed = sides[0].exceptAll(sides[1]).union(sides[1].exceptAll(sides[0]))
        return {row["year"] for side in sides for row in follow(changed, {"orders": side}).collect()}

    assert touched([2024, 2026], [2024, 2025, 2026, 2026]) == set()
    assert touched([2024], [2024, 2025]) == touched([2024, 2025], [2024]) == {2026}
    assert touched([2024], [2020, 2024]) == {2019, 2020, 2021, 2022}
    assert touched([2020, 2026], [2026]) == {2019, 2020, 2021, 2022, 2023, 2024}
    assert touched([], [2025]) == touched([2025], []) == {2024, 2025, 2026}


def test_the_tree_of_categories_is_flattened_from_its_roots(transform: Any, assert_rows: Any) -> None:
    """What no root leads to (a lost parent, a circle) has no way to show, and does not stop the others."""
    tree = [(1, None, "Home"), (2, 1, "Kitchen"), (3, 2, "Knives"), (4, 3, "Bread knives"), (5, None, "Toys"),
            (6, 99, "Orphan"), (7, 8, "Egg"), (8, 7, "Hen")]  # fmt: skip
    categories = [{"category_id": number, "parent_id": above, "name": name} for number, above, name in tree]
    found = transform("dim_category", categories=categories).where("category_key <> -1").drop("category_key")
    names = [
        "category_id",
        "parent_id",
        "name",
        "level",
        "path",
        "root_id",
        "root_name",
        "level_1",
        "level_2",
        "level_3",
    ]
    assert_rows(found, [dict(zip(names, values, strict=True)) for values in [
        (1, None, "Home", 1, "Home", 1, "Home", "Home", None, None),
        (2, 1, "Kitchen", 2, "Home > Kitchen", 1, "Home", "Home", "Kitchen", None),
        (3, 2, "Knives", 3, "Home > Kitchen > Knives", 1, "Home", "Home", "Kitchen", "Knives"),
        (4, 3, "Bread knives", 4, "Home > Kitchen > Knives > Bread knives", 1, "Home", "Home", "Kitchen", "Knives"),
        (5, None, "Toys", 1, "Toys", 5, "Toys", "Toys", None, None),
    ]])  # fmt: skip
