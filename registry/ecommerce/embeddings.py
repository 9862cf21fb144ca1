"""Vectors of products: what is bought together, and what is called alike."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.learning import Known, model
from lakehouse.learning.embedding import Embedding


@model(
    name="product_vectors",
    scores="product_embeddings",
    reads={"items": "gold.fct_order_items", "products": "silver.products", "categories": "silver.categories"},
    times={"items": "placed_at"},
    clock="items",
    holdout_days=28,
    gate="recall_at_20",
    grain=["product_id", "kind"],
    columns={
        "product_id": "The product.",
        "kind": "baskets: from what is bought together; texts: from its name and that of its category.",
        "vector": "Of length 1: the more alike two products are, the nearer to 1 is the sum of the products of their numbers.",
    },
    not_for="telling whether products may replace each other: what is bought together is often not alike",
)
class ProductVectors(Embedding):
    """Vectors of products, from baskets and from their texts."""

    def baskets(self, known: Known) -> DataFrame:
        """Orders as they were placed."""
        items = known.table("items").where("product_id IS NOT NULL")
        return items.select(
            F.col("order_id").alias("basket"), F.col("product_id").alias("item"), F.col("placed_at").alias("at")
        )

    def texts(self, known: Known) -> DataFrame:
        """The name of the product and of its category, as they are now."""
        categories = known.table("categories").select("category_id", F.col("name").alias("category"))
        named = known.table("products").join(categories, on="category_id", how="left")
        return named.select(F.col("product_id").alias("item"), F.concat_ws(" ", "name", "category").alias("text"))
