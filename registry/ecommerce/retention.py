"""How many of a month's new customers come back."""

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.transformer import transformer

from .calendar_keys import month_of

_GRAIN = ("cohort_month", "months_since")


def _cohorts_of(changed: DataFrame, inputs: Mapping[str, DataFrame]) -> DataFrame:
    """All months of the cohorts that customers came into or left."""
    moved = (
        changed.groupBy("customer_id")
        .agg(F.count(F.lit(1)).alias("sides"), F.collect_set(_month("first_order_at")).alias("cohorts"))
        .where((F.col("sides") == 1) | (F.size("cohorts") > 1))
        .select(F.explode("cohorts").alias("cohort_month"))
        .distinct()
    )
    return _followed(moved, inputs["orders"]).select("cohort_month", _since("month"))


def _months_of(changed: DataFrame, inputs: Mapping[str, DataFrame]) -> DataFrame:
    """The months of the orders, of the cohorts of who placed them; for all cohorts, the months beyond the last of all."""
    placed = changed.select("customer_id", _month("placed_at").alias("month")).distinct()
    cohorts = inputs["totals"].select("customer_id", _month("first_order_at").alias("cohort_month"))
    theirs = cohorts.join(F.broadcast(placed), on="customer_id", how="inner").where("month >= cohort_month")
    newest = placed.agg(F.max("month").alias("newest"))
    beyond = (
        cohorts.select("cohort_month")
        .distinct()
        .crossJoin(F.broadcast(_last_month(inputs["orders"]).crossJoin(newest).where("newest > last_month")))
        .select("cohort_month", F.explode(F.expr("sequence(last_month, newest, interval 1 month)")).alias("month"))
        .where("month >= cohort_month")
    )
    return theirs.select("cohort_month", "month").union(beyond).select("cohort_month", _since("month"))


@transformer(
    table="customer_retention_monthly",
    reads={"totals": "gold.customer_totals", "orders": "silver.orders"},
    grain=_GRAIN,
    rebuild_by=_GRAIN,
    touched={"totals": _cohorts_of, "orders": _months_of},
    columns={
        "cohort_month": "Month of a customer's first order that counts (UTC).",
        "months_since": "Months after it.",
        "customers": "Customers of the cohort.",
        "retained": "Of them, those with an order that counts in that month.",
        "retention_rate": "retained / customers.",
    },
)
def customer_retention_monthly(totals: DataFrame, orders: DataFrame, *, parts: DataFrame | None) -> DataFrame:
    """How many of the customers who came in a month ordered in each month after it.

    Args:
        parts: the cohorts and months to make; all when absent. Other cohorts of the same months may come with them.
    """
    cohorts = totals.select("customer_id", _month("first_order_at").alias("cohort_month"))
    active = orders.where("status <> 'cancelled'").select("customer_id", _month("placed_at").alias("month"))
    if parts is not None:
        months = parts.select(F.add_months("cohort_month", F.col("months_since")).alias("month")).distinct()
        active = active.join(F.broadcast(months), on="month", how="left_semi")
    counted = (
        active.distinct()
        .join(cohorts, on="customer_id", how="inner")
        .groupBy("cohort_month", "month")
        .agg(F.count(F.lit(1)).alias("retained"))
    )
    sizes = cohorts.groupBy("cohort_month").agg(F.count(F.lit(1)).alias("customers"))
    retained = F.coalesce("retained", F.lit(0))
    return (
        _followed(sizes, orders)
        .join(counted, on=["cohort_month", "month"], how="left")
        .select(
            "cohort_month",
            _since("month"),
            "customers",
            retained.alias("retained"),
            (retained / F.col("customers")).alias("retention_rate"),
        )
    )


def _followed(cohorts: DataFrame, orders: DataFrame) -> DataFrame:
    """``cohorts``, each with a row for each ``month`` from its own to that of the latest order of all."""
    return (
        cohorts.crossJoin(F.broadcast(_last_month(orders)))
        .where("cohort_month <= last_month")
        .withColumn("month", F.explode(F.expr("sequence(cohort_month, last_month, interval 1 month)")))
        .drop("last_month")
    )


def _last_month(orders: DataFrame) -> DataFrame:
    return orders.agg(month_of(F.to_date(F.max("placed_at"))).alias("last_month"))


def _month(moment: str) -> Column:
    return month_of(F.to_date(moment))


def _since(month: str) -> Column:
    return F.months_between(month, "cohort_month").cast("int").alias("months_since")
