"""The category of what is sold: that of its product today."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def in_categories(rows: DataFrame, products: DataFrame) -> DataFrame:
    """``rows`` of a product each, with its ``category_id``; those whose product is not there are left out."""
    return rows.join(F.broadcast(products.select("product_id", "category_id")), on="product_id", how="inner")


def moved_products(changed: DataFrame) -> DataFrame:
    """Of the changed rows of products, those in another category than before, new or gone.

    Returns:
        ``product_id`` and ``categories``, an array of the one before and the one now.
    """
    return (
        changed.groupBy("product_id")
        .agg(F.count(F.lit(1)).alias("sides"), F.collect_set("category_id").alias("categories"))
        .where((F.col("sides") == 1) | (F.size("categories") > 1))
        .select("product_id", "categories")
    )
