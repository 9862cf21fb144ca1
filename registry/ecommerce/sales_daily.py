"""What the shop sold, by day, category and country."""

from collections.abc import Mapping

from calendar_keys import money
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.transformer import transformer

_GRAIN = ("date", "category_id", "country")


def _days_of_moved_products(changed: DataFrame, inputs: Mapping[str, DataFrame]) -> DataFrame:
    """The days on which a product was sold or refunded that is in another category than before, or is new or gone."""
    moved = (
        changed.groupBy("product_id")
        .agg(F.count(F.lit(1)).alias("sides"), F.count_distinct("category_id").alias("categories"))
        .where((F.col("sides") == 1) | (F.col("categories") > 1))
        .select("product_id")
    )
    sold = inputs["items"].join(F.broadcast(moved), on="product_id", how="left_semi")
    refunded = inputs["refunds"].join(F.broadcast(moved), on="product_id", how="left_semi")
    return sold.select(F.col("order_date").alias("date")).union(refunded.select("refund_date"))


@transformer(
    table="sales_daily",
    reads={
        "items": "gold.fct_order_items",
        "refunds": "gold.fct_refunds",
        "products": "silver.products",
        "categories": "silver.categories",
    },
    grain=_GRAIN,
    rebuild_by=("date",),
    narrows={"items": "order_date", "refunds": "refund_date"},
    touched={"products": _days_of_moved_products},
    columns={
        "date": "Day on which orders were placed, or refunds paid out (UTC).",
        "category_id": "Category of the products today.",
        "category": "Its name.",
        "country": "To which orders go.",
        "orders": "Orders placed that day that are not cancelled, with a line of the category.",
        "cancelled_orders": "The same of cancelled orders.",
        "units": "Units of the orders that count.",
        "gmv": "Σ quantity × unit price of the orders that count, before discounts, shipping, tax and returns.",
        "discounts": "Σ discount of their lines.",
        "refunds": "Σ refunds paid out that day, for orders that count.",
        "net_revenue": "gmv - discounts - refunds.",
        "aov": "(gmv - discounts) / orders; NULL without orders.",
    },
)
def sales_daily(items: DataFrame, refunds: DataFrame, products: DataFrame, categories: DataFrame) -> DataFrame:
    """Orders, units, GMV, discounts, refunds and net revenue by day, category and country."""
    category_of = F.broadcast(products.select("product_id", "category_id"))
    counts = ~F.col("is_cancelled")
    sold = (
        items.join(category_of, on="product_id", how="inner")
        .groupBy(F.col("order_date").alias("date"), "category_id", "country")
        .agg(
            F.count_distinct(F.when(counts, F.col("order_id"))).alias("orders"),
            F.count_distinct(F.when(~counts, F.col("order_id"))).alias("cancelled_orders"),
            F.sum(F.when(counts, F.col("quantity"))).alias("units"),
            F.sum(F.when(counts, F.col("gmv"))).alias("gmv"),
            F.sum(F.when(counts, F.col("discount"))).alias("discounts"),
        )
    )
    refunded = (
        refunds.where("counts")
        .join(category_of, on="product_id", how="inner")
        .groupBy(F.col("refund_date").alias("date"), "category_id", "country")
        .agg(F.sum("amount").alias("refunds"))
    )
    both = sold.join(refunded, on=list(_GRAIN), how="full_outer").fillna(
        0, subset=["orders", "cancelled_orders", "units", "gmv", "discounts", "refunds"]
    )
    kept = F.col("gmv") - F.col("discounts")
    names = F.broadcast(categories.select("category_id", F.col("name").alias("category")))
    return both.join(names, on="category_id", how="left").select(
        "date",
        "category_id",
        "category",
        "country",
        "orders",
        "cancelled_orders",
        "units",
        money(F.col("gmv")).alias("gmv"),
        money(F.col("discounts")).alias("discounts"),
        money(F.col("refunds")).alias("refunds"),
        money(kept - F.col("refunds")).alias("net_revenue"),
        money(kept / F.nullif("orders", F.lit(0))).alias("aov"),
    )
