"""What to recommend to each customer."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.learning import Known, model
from lakehouse.learning.recommending import Recommending


@model(
    name="product_recommender",
    scores="recommendations",
    reads={"items": "gold.fct_order_items", "customers": "silver.customers"},
    times={"items": "placed_at"},
    clock="items",
    holdout_days=28,
    gate="recall_at_20",
    grain=["customer_id", "rank"],
    columns={
        "customer_id": "A customer that the shop has.",
        "rank": "1: what fits best … 20.",
        "product_id": "The product; none that the customer bought.",
        "reason": "taste: bought by those of like taste; popular: bought most in the country of who bought nothing yet.",
    },
    not_for="prices, or to leave products out that a customer looks for",
)
class Recommender(Recommending):
    """Which twenty products each customer may like."""

    def taken(self, known: Known) -> DataFrame:
        """Lines of orders as they were placed."""
        items = known.table("items").where("customer_id IS NOT NULL AND product_id IS NOT NULL")
        return items.select(
            F.col("customer_id").alias("one"), F.col("product_id").alias("item"), F.col("placed_at").alias("at")
        )

    def ones(self, known: Known) -> DataFrame:
        """All customers, by country."""
        return known.table("customers").select(F.col("customer_id").alias("one"), F.col("country").alias("place"))
