"""Marts of stock: what a month of each product in each warehouse came to, and how healthy it was."""

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from lakehouse.transformer import transformer

from .calendar_keys import money, month_of

_PAIR = ("product_id", "warehouse_id")


@transformer(
    table="inventory_monthly",
    reads={"movements": "silver.inventory_movements", "stock": "gold.fct_stock_daily"},
    grain=(*_PAIR, "month"),
    rebuild_by=(*_PAIR, "month"),
    narrows={"movements": (*_PAIR, "trunc(moved_at, 'month')"), "stock": (*_PAIR, "trunc(date, 'month')")},
    uses={
        "movements": (*_PAIR, "movement_id", "kind", "quantity", "unit_cost", "moved_at"),
        "stock": (*_PAIR, "date", "opening_quantity", "quantity", "value"),
    },
    columns={
        "product_id": "The product.",
        "warehouse_id": "The warehouse.",
        "month": "First day of the month (UTC).",
        "days": "Days of the month from the first movement of the two to the horizon.",
        "units_sold": "-Σ quantity of movements of kind `sale`.",
        "cost_of_goods_sold": "-Σ quantity × unit cost of movements of kind `sale`.",
        "average_stock": "Mean of the levels at the end of each of the days.",
        "average_stock_value": "Mean of the values at the end of each of the days.",
        "out_of_stock_incidents": "Movements that take the level from above zero to zero or below.",
        "hours_out_of_stock": "Time with a level of zero or below.",
    },
)
def inventory_monthly(movements: DataFrame, stock: DataFrame) -> DataFrame:
    """What the stock of each product in each warehouse came to in each month."""
    month = month_of(F.col("date")).alias("month")
    levels = stock.groupBy(*_PAIR, month).agg(
        F.count(F.lit(1)).alias("days"),
        _mean(F.col("quantity")).alias("average_stock"),
        _mean(F.col("value")).alias("average_stock_value"),
    )
    is_sale = F.col("kind") == "sale"
    sold = movements.groupBy(*_PAIR, month_of(F.to_date("moved_at")).alias("month")).agg(
        F.sum(F.when(is_sale, -F.col("quantity"))).alias("units_sold"),
        F.sum(F.when(is_sale, -F.col("quantity") * F.col("unit_cost"))).alias("cost_of_goods_sold"),
    )
    return (
        levels.join(sold, on=[*_PAIR, "month"], how="left")
        .join(_outages(movements, stock), on=[*_PAIR, "month"], how="left")
        .select(
            *_PAIR,
            "month",
            F.col("days").cast("int").alias("days"),
            F.coalesce("units_sold", F.lit(0)).cast("bigint").alias("units_sold"),
            money(F.coalesce("cost_of_goods_sold", F.lit(0))).alias("cost_of_goods_sold"),
            "average_stock",
            "average_stock_value",
            F.coalesce("out_of_stock_incidents", F.lit(0)).cast("int").alias("out_of_stock_incidents"),
            F.coalesce("hours_out_of_stock", F.lit(0.0)).alias("hours_out_of_stock"),
        )
    )


def _mean(column: Column) -> Column:
    """The mean as a double, of a sum that is exact: levels that cancel each other come to zero, not to almost zero."""
    return F.sum(column).cast("double") / F.count(column)


def _outages(movements: DataFrame, stock: DataFrame) -> DataFrame:
    """By pair and month: how often the level fell to zero or below, and for how many hours it was there."""
    opening = stock.where((F.col("date") == month_of(F.col("date"))) & F.col("opening_quantity").isNotNull()).select(
        *_PAIR,
        month_of(F.col("date")).alias("month"),
        F.col("date").cast("timestamp").alias("moved_at"),
        F.lit(None).cast("bigint").alias("movement_id"),
        F.col("opening_quantity").alias("quantity"),
    )
    moved = movements.select(
        *_PAIR,
        month_of(F.to_date("moved_at")).alias("month"),
        "moved_at",
        "movement_id",
        F.col("quantity").cast("bigint"),
    )
    order = Window.partitionBy(*_PAIR, "month").orderBy("moved_at", F.col("movement_id").asc_nulls_first())
    until = stock.groupBy(*_PAIR, month_of(F.col("date")).alias("month")).agg(
        F.date_add(F.max("date"), 1).cast("timestamp").alias("month_end")
    )
    events = (
        opening.unionByName(moved)
        .withColumn("level", F.sum("quantity").over(order))
        .withColumn("before", F.when(F.col("movement_id").isNotNull(), F.col("level") - F.col("quantity")))
        .withColumn("next_at", F.lead("moved_at").over(order))
        .join(until, on=[*_PAIR, "month"], how="inner")
    )
    is_out = F.col("level") <= 0
    ends = F.coalesce("next_at", "month_end")
    return events.groupBy(*_PAIR, "month").agg(
        F.count_if(is_out & (F.col("before") > 0)).alias("out_of_stock_incidents"),
        (F.sum(F.when(is_out, _micros(ends) - _micros(F.col("moved_at")))) / F.lit(3.6e9)).alias("hours_out_of_stock"),
    )


def _micros(moment: Column) -> Column:
    return F.unix_micros(moment)


def _months_of_pairs(changed: DataFrame, inputs: Mapping[str, DataFrame]) -> DataFrame:
    """All months of the products and warehouses whose level changed."""
    pairs = F.broadcast(changed.select(*_PAIR).distinct())
    return inputs["monthly"].join(pairs, on=list(_PAIR), how="left_semi").select(*_PAIR, "month")


@transformer(
    table="inventory_health",
    reads={"monthly": "gold.inventory_monthly", "levels": "silver.stock_levels"},
    grain=(*_PAIR, "month"),
    rebuild_by=(*_PAIR, "month"),
    narrows={"monthly": (*_PAIR, "month")},
    touched={"levels": _months_of_pairs},
    columns={
        "product_id": "The product.",
        "warehouse_id": "The warehouse.",
        "month": "First day of the month (UTC).",
        "units_sold": "Units that left as sales.",
        "cost_of_goods_sold": "Their cost.",
        "average_stock": "Mean level at the end of the days.",
        "average_stock_value": "Mean value at cost at the end of the days.",
        "turnover_rate": "cost_of_goods_sold / average_stock_value; NULL unless that is above 0.",
        "out_of_stock_incidents": "How often the level fell to zero or below.",
        "hours_out_of_stock": "Time with a level of zero or below.",
        "days_on_hand": "average_stock / (units_sold / days); NULL when nothing was sold.",
        "stock_now": "Level at the source now; the same in each month.",
    },
)
def inventory_health(monthly: DataFrame, levels: DataFrame) -> DataFrame:
    """How well stock turned over, and how often and how long it was out, by product, warehouse and month."""
    now = levels.select(*_PAIR, F.col("quantity").alias("stock_now"))
    value, sold = F.col("average_stock_value"), F.col("units_sold")
    return monthly.join(now, on=list(_PAIR), how="left").select(
        *_PAIR,
        "month",
        "units_sold",
        "cost_of_goods_sold",
        "average_stock",
        "average_stock_value",
        F.when(value > 0, F.col("cost_of_goods_sold").cast("double") / value).alias("turnover_rate"),
        "out_of_stock_incidents",
        "hours_out_of_stock",
        F.when(sold != 0, F.col("average_stock") / (sold / F.col("days"))).alias("days_on_hand"),
        "stock_now",
    )
