"""How many of a month's new customers come back."""

from collections.abc import Mapping
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.transformer import ends_of, matching, transformer

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
    cohort = _month("first_order_at").alias("cohort_month")
    who = matching(inputs["totals"], placed.select("customer_id"), columns=["customer_id", "first_order_at"])
    theirs = who.select("customer_id", cohort).join(placed, on="customer_id").where("month >= cohort_month")
    touched = theirs.select("cohort_month", "month")
    newest, last = _last_month(changed), _last_month(inputs["orders"])
    if last is not None and newest is not None and newest > last:
        beyond = F.explode(F.sequence(F.lit(last), F.lit(newest), F.expr("INTERVAL 1 MONTH")))
        cohorts = inputs["totals"].select(cohort).distinct()
        touched = touched.union(cohorts.withColumn("month", beyond).where("month >= cohort_month"))
    return touched.select("cohort_month", _since("month"))


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
        parts: the cohorts and months to make; all when absent. Others may come with them, which are not right.
    """
    cohorts = totals.select("customer_id", _month("first_order_at").alias("cohort_month"))
    active = orders.where("status <> 'cancelled'").select("customer_id", _month("placed_at").alias("month"))
    if parts is not None:
        wanted = parts.select("cohort_month", F.add_months("cohort_month", F.col("months_since")).alias("month"))
        active = active.join(F.broadcast(wanted.select("month").distinct()), on="month", how="left_semi")
    ordered = active.join(cohorts, on="customer_id", how="inner")
    if parts is not None:  # before customers are told apart, which is for few then
        ordered = ordered.join(F.broadcast(wanted), on=["cohort_month", "month"], how="left_semi")
    counted = ordered.distinct().groupBy("cohort_month", "month").agg(F.count(F.lit(1)).alias("retained"))
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
    last = F.lit(_last_month(orders)).cast("date")
    months = F.explode(F.sequence("cohort_month", last, F.expr("INTERVAL 1 MONTH")))
    return cohorts.where(F.col("cohort_month") <= last).withColumn("month", months)


def _last_month(orders: DataFrame) -> date | None:
    last = ends_of(orders, "placed_at")[1]
    return None if last is None else last.date().replace(day=1)


def _month(moment: str) -> Column:
    return month_of(F.to_date(moment))


def _since(month: str) -> Column:
    return F.months_between(month, "cohort_month").cast("int").alias("months_since")
