"""In which order the recommender's candidates are shown."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.learning import Known, model
from lakehouse.learning.ranking import Ranking


@model(
    name="product_ranking",
    scores="ranked_recommendations",
    reads={
        "items": "gold.fct_order_items",
        "customers": "silver.customers",
        "products": "silver.products",
        "categories": "silver.categories",
    },
    times={"items": "placed_at"},
    clock="items",
    holdout_days=28,
    gate="ndcg_at_20",
    grain=["customer_id", "rank"],
    columns={
        "customer_id": "A customer with an order.",
        "rank": "1: most likely to be bought next … 20.",
        "product_id": "The product; none that the customer bought.",
    },
    not_for="prices, or to leave products out that a customer looks for",
)
class ShopRanking(Ranking):
    """In which order each customer may like the recommender's candidates."""

    def taken(self, known: Known) -> DataFrame:
        """Lines of orders as they were placed."""
        items = known.table("items").where("customer_id IS NOT NULL AND product_id IS NOT NULL")
        return items.select(
            F.col("customer_id").alias("one"), F.col("product_id").alias("item"), F.col("placed_at").alias("at")
        )

    def ones(self, known: Known) -> DataFrame:
        """All customers, by country."""
        return known.table("customers").select(F.col("customer_id").alias("one"), F.col("country").alias("place"))

    def about(self, known: Known) -> DataFrame:
        """Category and price as they are now."""
        categories = known.table("categories").select("category_id", F.col("name").alias("kind"))
        products = known.table("products").join(categories, on="category_id", how="left")
        return products.select(F.col("product_id").alias("item"), "kind", F.col("unit_price").alias("price"))
