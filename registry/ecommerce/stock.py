"""Stock: the level and value of each product in each warehouse at the end of each day.

The horizon is the midnight after the latest movement of all: until then levels are known.
"""

from collections.abc import Mapping
from datetime import date

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from lakehouse.transformer import ends_of, matching, surrogate_key, transformer

from .calendar_keys import date_key, money
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
