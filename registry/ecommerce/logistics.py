"""Parcels: the fact and the mart."""

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.transformer import surrogate_key, transformer

from .calendar_keys import date_key, money
from .known_parts import known


@transformer(
    table="fct_shipments",
    reads={"shipments": "silver.shipments", "items": "gold.fct_order_items", "returns": "gold.fct_returns"},
    grain=("shipment_id",),
    partition_by=("months(ship_date)",),
    rebuild_by=("shipment_id",),
    narrows=dict.fromkeys(("shipments", "items", "returns"), "shipment_id"),
    touched=dict.fromkeys(("items", "returns"), known("shipment_id")),
    uses={"items": ("shipment_id", "quantity", "gmv"), "returns": ("shipment_id", "quantity")},
    columns={
        "shipment_id": "The parcel.",
        "order_id": "Its order.",
        "ship_date": "Day on which it left (UTC).",
        "ship_week": "Monday of that week.",
        "date_key": "That day in dim_date.",
        "promised_date_key": "The day for which it was promised; -1 for none.",
        "delivered_date_key": "The day on which it arrived; -1 while it is on its way.",
        "carrier_key": "Who carries it.",
        "warehouse_key": "From where.",
        "carrier_id": "Who carries it, by the shop's number.",
        "shipped_at": "When it left.",
        "delivered_at": "When it arrived; NULL while it is on its way.",
        "delivery_hours": "From leaving to arriving; NULL while it is on its way.",
        "is_on_time": "Whether it arrived by the promised time; NULL while it is on its way, or without one.",
        "shipping_cost": "What the carrier takes.",
        "units": "Units in it.",
        "gmv": "Σ quantity × unit price of its lines.",
        "returned_units": "Of them, how many came back.",
    },
)
def fct_shipments(shipments: DataFrame, items: DataFrame, returns: DataFrame) -> DataFrame:
    """A row for each parcel, with what was in it."""
    content = items.groupBy("shipment_id").agg(F.sum("quantity").alias("units"), F.sum("gmv").alias("gmv"))
    back = returns.groupBy("shipment_id").agg(F.sum("quantity").alias("returned_units"))
    ship_date = F.to_date("shipped_at")
    seconds = (F.unix_micros("delivered_at") - F.unix_micros("shipped_at")) / F.lit(1e6)
    return (
        shipments.join(content, on="shipment_id", how="left")
        .join(back, on="shipment_id", how="left")
        .select(
            "shipment_id",
            "order_id",
            ship_date.alias("ship_date"),
            F.trunc(ship_date, "week").alias("ship_week"),
            date_key(ship_date).alias("date_key"),
            date_key(F.to_date("promised_at")).alias("promised_date_key"),
            date_key(F.to_date("delivered_at")).alias("delivered_date_key"),
            surrogate_key("carrier_id").alias("carrier_key"),
            surrogate_key("warehouse_id").alias("warehouse_key"),
            "carrier_id",
            "shipped_at",
            "delivered_at",
            (seconds / 3600).alias("delivery_hours"),
            (F.col("delivered_at") <= F.col("promised_at")).alias("is_on_time"),
            money(F.col("shipping_cost")).alias("shipping_cost"),
            F.coalesce("units", F.lit(0)).cast("bigint").alias("units"),
            money(F.coalesce("gmv", F.lit(0))).alias("gmv"),
            F.coalesce("returned_units", F.lit(0)).cast("bigint").alias("returned_units"),
        )
    )


def _weeks_of_carriers(changed: DataFrame, inputs: Mapping[str, DataFrame]) -> DataFrame:
    """All weeks of the carriers that changed."""
    carriers = F.broadcast(changed.select("carrier_id").distinct())
    theirs = inputs["shipments"].join(carriers, on="carrier_id", how="left_semi")
    return theirs.select("carrier_id", F.col("ship_week").alias("week"))


def _micros_under_way() -> Column:
    """Whole numbers, whose sum is the same in whatever order they come."""
    return F.unix_micros("delivered_at") - F.unix_micros("shipped_at")


@transformer(
    table="logistics_performance",
    reads={"shipments": "gold.fct_shipments", "carriers": "silver.carriers"},
    grain=("carrier_id", "week"),
    rebuild_by=("carrier_id", "week"),
    narrows={"shipments": ("carrier_id", "ship_week")},
    touched={"carriers": _weeks_of_carriers},
    uses={
        "shipments": (
            "carrier_id",
            "ship_week",
            "order_id",
            "shipped_at",
            "delivered_at",
            "delivery_hours",
            "is_on_time",
            "units",
            "returned_units",
            "shipping_cost",
            "gmv",
        )
    },
    columns={
        "carrier_id": "Who carried.",
        "carrier": "Their name.",
        "week": "Monday of the week in which parcels left (UTC).",
        "parcels": "Parcels that left.",
        "delivered_parcels": "Of them, how many have arrived.",
        "delivery_hours_mean": "Mean of delivered_at - shipped_at, of those that have arrived.",
        "delivery_hours_median": "Its median (linear interpolation).",
        "delivery_hours_p90": "Its 90th percentile (linear interpolation).",
        "on_time_rate": "Arrived by the promised time / arrived.",
        "return_rate": "Returned units / units, of parcels that have arrived; NULL without units.",
        "shipping_cost": "What the carrier took.",
        "shipping_cost_per_order": "Shipping cost / orders.",
        "shipping_cost_over_gmv": "Shipping cost / Σ quantity × unit price of what was in the parcels; NULL without.",
    },
)
def logistics_performance(shipments: DataFrame, carriers: DataFrame) -> DataFrame:
    """How well each carrier delivered what left in each week."""
    arrived = F.col("delivered_at").isNotNull()
    arrived_units = F.sum(F.when(arrived, F.col("units")))
    cost, gmv = F.sum("shipping_cost"), F.sum("gmv")
    by_week = shipments.groupBy("carrier_id", F.col("ship_week").alias("week")).agg(
        F.count(F.lit(1)).alias("parcels"),
        F.count_if(arrived).alias("delivered_parcels"),
        (F.sum(_micros_under_way()) / F.nullif(F.count(_micros_under_way()) * F.lit(3.6e9), F.lit(0.0))).alias(
            "delivery_hours_mean"
        ),
        F.percentile("delivery_hours", 0.5).alias("delivery_hours_median"),
        F.percentile("delivery_hours", 0.9).alias("delivery_hours_p90"),
        (F.count_if("is_on_time") / F.nullif(F.count_if(arrived), F.lit(0))).alias("on_time_rate"),
        (F.sum(F.when(arrived, F.col("returned_units"))).cast("double") / F.nullif(arrived_units, F.lit(0))).alias(
            "return_rate"
        ),
        money(cost).alias("shipping_cost"),
        # a set, as the percentiles are: to count what is distinct, Spark would make a percentile of each order first
        money(cost / F.size(F.collect_set("order_id"))).alias("shipping_cost_per_order"),
        (cost.cast("double") / F.nullif(gmv.cast("double"), F.lit(0.0))).alias("shipping_cost_over_gmv"),
    )
    names = carriers.select("carrier_id", F.col("name").alias("carrier"))
    return by_week.join(F.broadcast(names), on="carrier_id", how="left").select(
        "carrier_id",
        "carrier",
        "week",
        "parcels",
        "delivered_parcels",
        "delivery_hours_mean",
        "delivery_hours_median",
        "delivery_hours_p90",
        "on_time_rate",
        "return_rate",
        "shipping_cost",
        "shipping_cost_per_order",
        "shipping_cost_over_gmv",
    )
