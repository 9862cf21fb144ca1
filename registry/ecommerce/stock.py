"""Stock: the level and value of each product in each warehouse at the end of each day, and what a month's came to.

The horizon is the midnight after the latest movement of all: until then levels are known.
"""

from collections.abc import Mapping
from datetime import date

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from lakehouse.transformer import ends_of, matching, surrogate_key, transformer

from .calendar_keys import date_key, money, month_of
from .versions import END, changed_spans, key_at

_PAIR = ("product_id", "warehouse_id")


def _levels_from(changed: DataFrame, inputs: Mapping[str, DataFrame]) -> DataFrame:
    """The days of a changed movement's product and warehouse, from its own to the horizon; of all, those beyond the horizon.

    Asked of the movements as they were and as they are, the latter are the days that got a level or lost it.
    """
    (_, known), (_, last) = _days(inputs["movements"]), _days(changed)
    end = max((day for day in (known, last) if day), default=None)
    own = changed.groupBy(*_PAIR).agg(F.to_date(F.min("moved_at")).alias("begin"))
    days = own.select(F.explode(F.sequence("begin", F.lit(end).cast("date"))).alias("date"), *_PAIR)
    if known is None or last is None or last <= known:
        return days
    beyond = F.explode(F.sequence(F.date_add(F.lit(known), 1), F.lit(last))).alias("date")
    return days.unionByName(_held(inputs["own"]).select(beyond, *_PAIR))


def _days(movements: DataFrame) -> tuple[date | None, date | None]:
    """The first and the last day (UTC) on which something moved."""
    first, last = ends_of(movements, "moved_at")
    return (None, None) if first is None else (first.date(), last.date())


def _held(stock: DataFrame, products: DataFrame | None = None) -> DataFrame:
    """The products and warehouses with a level: on the last day of all each has one.

    Args:
        products: those that are wanted; all when absent.
    """
    last = F.lit(ends_of(stock, "date")[1]).cast("date").alias("date")
    wanted = stock.sparkSession.range(1).select(last) if products is None else products.select("product_id", last)
    return matching(stock, wanted, columns=_PAIR)


def _levels_of_versions(changed: DataFrame, inputs: Mapping[str, DataFrame]) -> DataFrame:
    """The days on which stock points to another version of its product than before, in each warehouse of the product.

    A warehouse in which it was not yet is another movement's affair.
    """
    first, last = (F.lit(day).cast("date") for day in _days(inputs["movements"]))
    spans = changed_spans(changed, "product_id", "product_key")
    begin = F.greatest(F.date_sub(F.to_date("since"), 1), first)
    end = F.least(F.when(F.col("until") < F.lit(END), F.to_date("until")).otherwise(last), last)
    within = spans.select("product_id", begin.alias("begin"), end.alias("end")).where(F.col("begin") <= F.col("end"))
    days = within.select("product_id", F.explode(F.sequence("begin", "end")).alias("date")).distinct()
    pairs = _held(inputs["own"], within.select("product_id").distinct())
    return days.join(pairs, on="product_id").select("date", *_PAIR)


@transformer(
    table="fct_stock_daily",
    reads={"movements": "silver.inventory_movements", "products": "gold.dim_product"},
    grain=("date", *_PAIR),
    partition_by=("months(date)",),
    rebuild_by=("date", *_PAIR),
    touched={"movements": _levels_from, "products": _levels_of_versions},
    columns={
        "date": "The day (UTC).",
        "date_key": "The same in dim_date.",
        "product_key": "The product as it was at the end of the day.",
        "warehouse_key": "The warehouse.",
        "product_id": "The product, by the shop's number.",
        "warehouse_id": "The warehouse, by the shop's number.",
        "opening_quantity": "Level at the beginning of the day; NULL on the first day of all.",
        "quantity": "Level at the end of the day.",
        "value": "Σ quantity × unit cost of all movements until then.",
    },
)
def fct_stock_daily(
    movements: DataFrame, products: DataFrame, *, parts: DataFrame | None, own: DataFrame | None
) -> DataFrame:
    """A row for each product, warehouse and day, from the first movement of the two to the horizon.

    Args:
        parts: the days to make, by product and warehouse; all when absent.
        own: the levels there are: each run of days to be made goes on from the one before it.
    """
    last_day = F.lit(_days(movements)[1]).cast("date")
    if parts is None or own is None:
        moved = _changes(movements.withColumns({name: F.lit(None).cast("date") for name in ("begin", "end")}))
    else:
        moved = _changes_within(parts, movements, own)
    order = Window.partitionBy(*_PAIR, "begin").orderBy("moved_on")
    known = moved.select(
        *_PAIR,
        "moved_on",
        "moved",
        F.min("moved_on").over(order).alias("first_day"),
        F.sum("moved").over(order).alias("quantity"),
        F.sum("moved_value").over(order).alias("value"),
        F.greatest("moved_on", "begin").alias("since"),
        F.coalesce(F.date_sub(F.lead("moved_on").over(order), 1), F.least("end", last_day)).alias("until"),
    )
    levels = (
        known.where(F.col("since") <= F.col("until"))
        .withColumn("date", F.explode(F.sequence("since", "until")))
        .withColumns(
            {
                "opened_with": F.col("quantity")
                - F.when(F.col("date") == F.col("moved_on"), F.col("moved")).otherwise(0),
                "end_of_day": F.date_add("date", 1).cast("timestamp") - F.expr("INTERVAL 1 MICROSECOND"),
            }
        )
    )
    return key_at(levels, products, "product_id", "end_of_day", "product_key").select(
        "date",
        date_key(F.col("date")).alias("date_key"),
        "product_key",
        surrogate_key("warehouse_id").alias("warehouse_key"),
        *_PAIR,
        F.when(F.col("date") > F.col("first_day"), F.col("opened_with")).alias("opening_quantity"),
        "quantity",
        money(F.col("value")).alias("value"),
    )


def _changes(movements: DataFrame) -> DataFrame:
    """By how much the level and the value of each product and warehouse changed on each day.

    Args:
        movements: with ``begin`` and ``end`` of the days that are wanted; NULL where all are.
    """
    return movements.groupBy(*_PAIR, "begin", "end", F.to_date("moved_at").alias("moved_on")).agg(
        F.sum("quantity").alias("moved"),
        F.sum(F.col("quantity") * F.col("unit_cost")).alias("moved_value"),
    )


def _changes_within(parts: DataFrame, movements: DataFrame, own: DataFrame) -> DataFrame:
    """The same for each run of days of ``parts``; the level on the day before it is its first change."""
    runs = _runs(parts)
    moved = matching(movements, parts.select("date", *_PAIR), {"date": "to_date(moved_at)"}).withColumn(
        "date", F.to_date("moved_at")
    )
    changes = _changes(moved.join(F.broadcast(runs), on=["date", *_PAIR]))
    before = runs.select(*_PAIR, "begin", "end", F.date_sub("begin", 1).alias("date")).distinct()
    levels = matching(own, before.select("date", *_PAIR), columns=["date", *_PAIR, "quantity", "value"])
    opening = before.join(F.broadcast(levels), on=["date", *_PAIR]).select(
        *_PAIR,
        "begin",
        "end",
        F.col("date").alias("moved_on"),
        F.col("quantity").alias("moved"),
        F.col("value").alias("moved_value"),
    )
    return changes.unionByName(opening)


def _runs(parts: DataFrame) -> DataFrame:
    """``parts``, each with the first and the last day of the run of consecutive days to which it belongs."""
    order = Window.partitionBy(*_PAIR).orderBy("date")
    numbered = parts.select("date", *_PAIR, F.date_sub("date", F.row_number().over(order)).alias("run"))
    run = Window.partitionBy(*_PAIR, "run")
    ends = (F.min("date").over(run).alias("begin"), F.max("date").over(run).alias("end"))
    return numbered.select("date", *_PAIR, *ends)


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
