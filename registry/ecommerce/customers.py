"""Marts of customers: what each ordered to date, and all that is known of each."""

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from lakehouse.transformer import ends_of, matching, transformer

from .calendar_keys import money
from .known_parts import known
from .product_categories import in_categories, moved_products

_RETENTION_DAYS = 90
_RHYTHM_WITHOUT_HISTORY = 90.0
_COUNTS = "status <> 'cancelled'"
_OF_CUSTOMERS = ("orders", "items", "refunds", "returns")


def _buyers_of_moved_products(changed: DataFrame, inputs: Mapping[str, DataFrame]) -> DataFrame:
    """The customers who bought a product that is in another category than before, or is new or gone."""
    moved = moved_products(changed).select("product_id")
    return matching(inputs["items"], moved, columns=["customer_id"]).where(F.col("customer_id").isNotNull())


@transformer(
    table="customer_totals",
    reads={
        "orders": "silver.orders",
        "items": "gold.fct_order_items",
        "refunds": "gold.fct_refunds",
        "returns": "gold.fct_returns",
        "products": "silver.products",
    },
    grain=("customer_id",),
    rebuild_by=("customer_id",),
    narrows=dict.fromkeys(_OF_CUSTOMERS, "customer_id"),
    touched={**dict.fromkeys(_OF_CUSTOMERS, known("customer_id")), "products": _buyers_of_moved_products},
    uses={
        "orders": ("customer_id", "status", "placed_at"),
        "items": ("customer_id", "product_id", "is_cancelled", "quantity", "gmv", "discount"),
        "refunds": ("customer_id", "counts", "amount"),
        "returns": ("customer_id", "is_cancelled", "quantity"),
    },
    columns={
        "customer_id": "The customer.",
        "first_order_at": "First order that counts (is not cancelled).",
        "last_order_at": "Last one.",
        "orders": "Orders that count.",
        "gmv": "Σ quantity × unit price of their lines.",
        "discounts": "Σ discount of their lines.",
        "refunds": "Σ refunds paid out for them.",
        "units": "Units of their lines.",
        "returned_units": "Units in returns of them.",
        "favourite_category_id": "Category of most units; of equals of the higher GMV, then of the lower id.",
    },
)
def customer_totals(
    orders: DataFrame, items: DataFrame, refunds: DataFrame, returns: DataFrame, products: DataFrame
) -> DataFrame:
    """To date, a row for each customer with an order that counts."""
    ordered = (
        orders.where(_COUNTS)
        .where(F.col("customer_id").isNotNull())
        .groupBy("customer_id")
        .agg(
            F.min("placed_at").alias("first_order_at"),
            F.max("placed_at").alias("last_order_at"),
            F.count(F.lit(1)).alias("orders"),
        )
    )
    by_category = (
        in_categories(items.where(~F.col("is_cancelled")), products)
        .groupBy("customer_id", "category_id")
        .agg(F.sum("quantity").alias("units"), F.sum("gmv").alias("gmv"), F.sum("discount").alias("discounts"))
    )
    rank = F.struct("units", "gmv", (-F.col("category_id")).alias("order"), "category_id")
    bought = by_category.groupBy("customer_id").agg(
        F.sum("units").alias("units"),
        F.sum("gmv").alias("gmv"),
        F.sum("discounts").alias("discounts"),
        F.max(rank)["category_id"].alias("favourite_category_id"),
    )
    paid_back = refunds.where("counts").groupBy("customer_id").agg(F.sum("amount").alias("refunds"))
    sent_back = (
        returns.where(~F.col("is_cancelled")).groupBy("customer_id").agg(F.sum("quantity").alias("returned_units"))
    )
    joined = ordered
    for more in (bought, paid_back, sent_back):
        joined = joined.join(more, on="customer_id", how="left")
    zero = F.lit(0)
    return joined.select(
        "customer_id",
        "first_order_at",
        "last_order_at",
        "orders",
        *(money(F.coalesce(name, zero)).alias(name) for name in ("gmv", "discounts", "refunds")),
        *(F.coalesce(name, zero).cast("bigint").alias(name) for name in ("units", "returned_units")),
        "favourite_category_id",
    )


# Rebuilt whole at any change: the as-of day moves each day, and with it every recency; quintiles are of all customers.
@transformer(
    table="customer_360",
    reads={
        "customers": "silver.customers",
        "totals": "gold.customer_totals",
        "orders": "silver.orders",
        "categories": "silver.categories",
    },
    grain=("customer_id",),
    columns={
        "customer_id": "The customer.",
        "country": "Where they live.",
        "first_order_at": "First order that counts (is not cancelled).",
        "last_order_at": "Last one.",
        "orders": "Orders that count.",
        "gmv": "Σ quantity × unit price of their lines.",
        "ltv": "Lifetime value: gmv - discounts - refunds, to date.",
        "aov": "(gmv - discounts) / orders.",
        "mean_days_between_orders": "(last - first, in days) / (orders - 1); NULL below two orders.",
        "recency_days": "As-of day (of the latest order of all) - day of the last order.",
        "recency_quintile": "1 + ⌊5 × share of customers who ordered longer ago⌋.",
        "frequency_quintile": "1 + ⌊5 × share of customers with fewer orders⌋.",
        "monetary_quintile": "1 + ⌊5 × share of customers with a lower ltv⌋.",
        "segment": "From the quintiles: champion, loyal, new, big_spender, promising, at_risk, hibernating; prospect.",
        "retained": "An order in the 90 days up to the as-of day, and one in the 90 days before.",
        "churn_risk": "1 - 2^(-recency_days / g), g = max(1, mean_days_between_orders), 90 below two orders.",
        "favourite_category_id": "Category of most units; of equals of the higher GMV, then of the lower id.",
        "favourite_category": "Its name.",
        "return_rate": "Returned units / units; NULL without units.",
    },
)
def customer_360(customers: DataFrame, totals: DataFrame, orders: DataFrame, categories: DataFrame) -> DataFrame:
    """A row for each customer that the shop has."""
    last = ends_of(orders, "placed_at")[1]
    as_of = F.to_date(F.lit(last).cast("timestamp"))
    known = (
        customers.select("customer_id", "country")
        .join(totals, on="customer_id", how="left")
        .join(_retained(orders, as_of), on="customer_id", how="left")
    )
    kept = F.col("gmv") - F.col("discounts")
    last_day = F.to_date("last_order_at")
    span_days = (F.unix_micros("last_order_at") - F.unix_micros("first_order_at")) / F.lit(86_400e6)
    measured = known.withColumns(
        {
            "orders": F.coalesce("orders", F.lit(0)),
            "gmv": money(F.coalesce("gmv", F.lit(0))),
            "ltv": money(F.coalesce(kept - F.col("refunds"), F.lit(0))),
            "aov": money(kept / F.col("orders")),
            "mean_days_between_orders": F.when(F.col("orders") > 1, span_days / (F.col("orders") - 1)),
            "recency_days": F.datediff(as_of, last_day),
            "return_rate": F.col("returned_units") / F.nullif("units", F.lit(0)),
        }
    )
    scored = measured.withColumns(
        {
            "recency_quintile": _quintile(-F.col("recency_days")),
            "frequency_quintile": _quintile(F.col("orders")),
            "monetary_quintile": _quintile(F.col("ltv")),
        }
    )
    rhythm = F.greatest(F.coalesce("mean_days_between_orders", F.lit(_RHYTHM_WITHOUT_HISTORY)), F.lit(1.0))
    return (
        scored.join(
            F.broadcast(
                categories.select(
                    F.col("category_id").alias("favourite_category_id"), F.col("name").alias("favourite_category")
                )
            ),
            on="favourite_category_id",
            how="left",
        )
        .withColumns(
            {
                "segment": _segment(),
                "retained": F.coalesce("retained", F.lit(False)),
                "churn_risk": 1 - F.pow(F.lit(2.0), -F.col("recency_days") / rhythm),
            }
        )
        .select(
            "customer_id",
            "country",
            "first_order_at",
            "last_order_at",
            "orders",
            "gmv",
            "ltv",
            "aov",
            "mean_days_between_orders",
            "recency_days",
            "recency_quintile",
            "frequency_quintile",
            "monetary_quintile",
            "segment",
            "retained",
            "churn_risk",
            "favourite_category_id",
            "favourite_category",
            "return_rate",
        )
    )


def _quintile(value: Column) -> Column:
    """1 + ⌊5 × share of customers with orders whose ``value`` is lower⌋; NULL without orders."""
    ordered = F.col("orders") > 0
    among = Window.partitionBy(ordered)
    below = F.rank().over(among.orderBy(value)) - 1
    return F.when(ordered, (F.lit(1) + F.floor(5 * below / F.count(F.lit(1)).over(among))).cast("int"))


def _segment() -> Column:
    r, f, m = (F.col(f"{name}_quintile") for name in ("recency", "frequency", "monetary"))
    return (
        F.when(F.col("orders") == 0, "prospect")
        .when((r >= 4) & (f >= 4) & (m >= 4), "champion")
        .when((f >= 4) & (r >= 3), "loyal")
        .when((F.col("orders") == 1) & (r >= 4), "new")
        .when((m == 5) & (r >= 3), "big_spender")
        .when(r >= 3, "promising")
        .when((f >= 4) | (m >= 4), "at_risk")
        .otherwise("hibernating")
    )


def _retained(orders: DataFrame, as_of: Column) -> DataFrame:
    """Whether a customer ordered in the last 90 days, and in the 90 before; only who ordered in one of them."""
    age = F.datediff(as_of, F.to_date("placed_at"))
    first = F.date_sub(as_of, 2 * _RETENTION_DAYS - 1).cast("timestamp")  # by which files are left unread
    recent = orders.where(_COUNTS).where(F.col("placed_at") >= first)
    lately, earlier = F.bool_or(age < _RETENTION_DAYS), F.bool_or(age >= _RETENTION_DAYS)
    return recent.groupBy("customer_id").agg((lately & earlier).alias("retained"))
