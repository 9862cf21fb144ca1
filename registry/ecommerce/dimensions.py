"""Dimensions of the shop that hold versions, and the calendar."""

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.transformer import UNKNOWN_KEY, ends_of, surrogate_key, transformer

from .calendar_keys import date_key, month_of
from .versions import with_lookup_times

_LOOKUP = {
    "valid_from": "When the version began at the source.",
    "valid_to": "When the next one began, or the row was deleted; NULL while it is valid.",
    "is_current": "Whether it is valid now.",
    "lookup_from": "From when on facts point to this version: the oldest one from the beginning.",
    "lookup_to": "Until when (exclusive); the last one for ever.",
}


@transformer(
    table="dim_customer",
    reads={"history": "silver.customers_history"},
    grain=("customer_key",),
    rebuild_by=("customer_id",),
    narrows={"history": "customer_id"},
    columns={
        "customer_key": "Hash of customer_id and valid_from; -1 for the unknown customer.",
        "customer_id": "The shop's number; -1 for the unknown customer.",
        "email": "Pseudonym: keyed HMAC-SHA-256.",
        "birth_year": "Year of birth.",
        "signup_network": "Network from which the account was opened.",
        "country": "Where the customer lives.",
        "marketing_opt_in": "Whether news are wanted.",
        "customer_since": "When the account was opened.",
        **_LOOKUP,
    },
)
def dim_customer(history: DataFrame) -> DataFrame:
    """A row for each version of each customer, and one for the unknown customer."""
    versions = with_lookup_times(history, "customer_id").select(
        surrogate_key("customer_id", "valid_from").alias("customer_key"),
        "customer_id",
        "email",
        F.col("birth_date").alias("birth_year"),
        F.col("signup_ip").alias("signup_network"),
        "country",
        "marketing_opt_in",
        F.col("created_at").alias("customer_since"),
        *_LOOKUP,
    )
    return versions.unionByName(_unknown_member(versions, "customer_key", "customer_id"))


@transformer(
    table="dim_product",
    reads={"history": "silver.products_history"},
    grain=("product_key",),
    rebuild_by=("product_id",),
    narrows={"history": "product_id"},
    columns={
        "product_key": "Hash of product_id and valid_from; -1 for the unknown product.",
        "product_id": "The shop's number; -1 for the unknown product.",
        "sku": "Stock keeping unit.",
        "name": "Name.",
        "category_key": "Its category in this version.",
        "supplier_id": "Who delivers it.",
        "unit_price": "List price.",
        "unit_cost": "Cost.",
        "is_active": "Whether it is sold.",
        **_LOOKUP,
    },
)
def dim_product(history: DataFrame) -> DataFrame:
    """A row for each version of each product, and one for the unknown product."""
    versions = with_lookup_times(history, "product_id").select(
        surrogate_key("product_id", "valid_from").alias("product_key"),
        "product_id",
        "sku",
        "name",
        surrogate_key("category_id").alias("category_key"),
        "supplier_id",
        "unit_price",
        "unit_cost",
        "is_active",
        *_LOOKUP,
    )
    unknown = _unknown_member(versions, "product_key", "product_id", "category_key")
    return versions.unionByName(unknown)


def _unknown_member(versions: DataFrame, *keys: str) -> DataFrame:
    """One row in the shape of ``versions``: its keys are the unknown member's, all else is NULL."""
    columns = [
        F.lit(UNKNOWN_KEY if field.name in keys else None).cast(field.dataType).alias(field.name)
        for field in versions.schema.fields
    ]
    return versions.sparkSession.range(1).select(*columns)


def _years_at_the_ends(changed: DataFrame, inputs: Mapping[str, DataFrame]) -> DataFrame:
    """The years that the calendar gains or loses: changed orders lie beyond the first and the last of all.

    Asked of the orders as they were, these are the years gained; of the orders as they are, those lost.
    """
    year = F.year("placed_at")
    here = changed.agg(F.min(year).alias("begin"), F.max(year).alias("end")).where(F.col("begin").isNotNull())
    first, last = (F.year(F.lit(moment).cast("timestamp")) for moment in ends_of(inputs["orders"], "placed_at"))
    begin, end = F.least(F.col("begin") - 1, last + 1), F.greatest(F.col("end") + 1, first - 1)
    years = here.select(F.explode(F.sequence(begin, end)).alias("year"))
    return years.where(first.isNull() | (F.col("year") < first - 1) | (F.col("year") > last + 1))


@transformer(
    table="dim_date",
    reads={"orders": "silver.orders"},
    grain=("date_key",),
    rebuild_by=("year",),
    touched={"orders": _years_at_the_ends},
    columns={
        "date_key": "The day as an integer like 20261031; -1 for no day.",
        "date": "The day (UTC).",
        "year": "Year.",
        "quarter": "Quarter, 1 to 4.",
        "month": "Month, 1 to 12.",
        "month_start": "First day of its month.",
        "week_start": "Monday of its week.",
        "day_of_week": "1 for Monday to 7 for Sunday.",
        "is_weekend": "Saturday or Sunday.",
    },
)
def dim_date(orders: DataFrame) -> DataFrame:
    """A row for each day from the year before the first order to the year after the last, and one for no day."""
    span = orders.agg(
        F.add_months(F.trunc(F.to_date(F.min("placed_at")), "year"), -12).alias("first"),
        F.date_sub(F.add_months(F.trunc(F.to_date(F.max("placed_at")), "year"), 24), 1).alias("last"),
    )
    days = span.select(F.explode(F.sequence("first", "last")).alias("date"))
    nothing = orders.sparkSession.range(1).select(F.lit(None).cast("date").alias("date"))
    day = F.col("date")
    monday_first = F.weekday(day) + 1
    columns: dict[str, Column] = {
        "date_key": date_key(day),
        "date": day,
        "year": F.year(day),
        "quarter": F.quarter(day),
        "month": F.month(day),
        "month_start": month_of(day),
        "week_start": F.trunc(day, "week"),
        "day_of_week": monday_first,
        "is_weekend": monday_first >= 6,
    }
    return days.unionByName(nothing).select(*(column.alias(name) for name, column in columns.items()))
