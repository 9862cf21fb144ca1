"""What the shop sold, by day, category and country."""

from collections.abc import Mapping

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.transformer import matching, transformer

from .calendar_keys import money
from .product_categories import in_categories, moved_products

_GRAIN = ("date", "category_id", "country")


def _of_items(changed: DataFrame, inputs: Mapping[str, DataFrame]) -> DataFrame:
    return _sold(changed, inputs["products"]).select(*_GRAIN)


def _of_refunds(changed: DataFrame, inputs: Mapping[str, DataFrame]) -> DataFrame:
    return _refunded(changed, inputs["products"]).select(*_GRAIN)


def _of_moved_products(changed: DataFrame, inputs: Mapping[str, DataFrame]) -> DataFrame:
    """Where products were sold or refunded that are in another category than before, or new or gone: in both."""
    return _where_traded(moved_products(changed).withColumn("category_id", F.explode("categories")), inputs)


def _of_categories(changed: DataFrame, inputs: Mapping[str, DataFrame]) -> DataFrame:
    """Where products of the changed categories were sold or refunded."""
    categories = F.broadcast(changed.select("category_id").distinct())
    return _where_traded(inputs["products"].join(categories, on="category_id", how="left_semi"), inputs)


def _where_traded(products: DataFrame, inputs: Mapping[str, DataFrame]) -> DataFrame:
    traded = products.select("product_id")
    items = matching(inputs["items"], traded, columns=["product_id", "order_date", "country"])
    refunds = matching(inputs["refunds"], traded, columns=["product_id", "refund_date", "country"])
    return _sold(items, products).select(*_GRAIN).union(_refunded(refunds, products).select(*_GRAIN))


def _sold(items: DataFrame, products: DataFrame) -> DataFrame:
    """The lines with the category of their product, by the day of their order."""
    return in_categories(items.withColumn("date", F.col("order_date")), products)


def _refunded(refunds: DataFrame, products: DataFrame) -> DataFrame:
    """The refunds with the category of their product, by the day on which they were paid out."""
    return in_categories(refunds.withColumn("date", F.col("refund_date")), products)


def _lines_of(parts: DataFrame, items: DataFrame, products: DataFrame) -> DataFrame:
    """The lines of products in the categories of each day; those of other countries may come with them."""
    days = parts.select("date", "category_id").distinct()
    products_of_days = products.select("product_id", "category_id").join(F.broadcast(days), on="category_id")
    columns = ["order_date", "product_id", "country", "order_id", "is_cancelled", "quantity", "gmv", "discount"]
    return matching(items, products_of_days.select("date", "product_id"), {"date": "order_date"}, columns)


def _within(rows: DataFrame, parts: DataFrame | None) -> DataFrame:
    return rows if parts is None else rows.join(F.broadcast(parts), on=list(_GRAIN), how="left_semi")


@transformer(
    table="sales_daily",
    reads={
        "items": "gold.fct_order_items",
        "refunds": "gold.fct_refunds",
        "products": "silver.products",
        "categories": "silver.categories",
    },
    grain=_GRAIN,
    rebuild_by=_GRAIN,
    touched={"items": _of_items, "refunds": _of_refunds, "products": _of_moved_products, "categories": _of_categories},
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
def sales_daily(
    items: DataFrame, refunds: DataFrame, products: DataFrame, categories: DataFrame, *, parts: DataFrame | None
) -> DataFrame:
    """Orders, units, GMV, discounts, refunds and net revenue by day, category and country.

    Args:
        parts: the days, categories and countries to make; all when absent.
    """
    if parts is not None:
        items = _lines_of(parts, items, products)
    counts = ~F.col("is_cancelled")
    by_order = (
        _within(_sold(items, products), parts)
        .groupBy(*_GRAIN, "order_id", "is_cancelled")
        .agg(*(F.sum(name).alias(name) for name in ("quantity", "gmv", "discount")))
    )
    sold = by_order.groupBy(*_GRAIN).agg(
        F.count_if(counts).alias("orders"),
        F.count_if(~counts).alias("cancelled_orders"),
        F.sum(F.when(counts, F.col("quantity"))).alias("units"),
        F.sum(F.when(counts, F.col("gmv"))).alias("gmv"),
        F.sum(F.when(counts, F.col("discount"))).alias("discounts"),
    )
    refunded = (
        _within(_refunded(refunds, products), parts)
        .where("counts")
        .groupBy(*_GRAIN)
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
