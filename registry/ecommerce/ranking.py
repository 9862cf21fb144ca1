"""In which order the recommender's candidates are shown."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.learning import Known, model
from lakehouse.learning.ranking import Ranking

from .buying import Buying


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
class ShopRanking(Buying, Ranking):
    """In which order each customer may like the recommender's candidates."""

    def about(self, known: Known) -> DataFrame:
        """Category and price as they are now."""
        categories = known.table("categories").select("category_id", F.col("name").alias("kind"))
        products = known.table("products").join(categories, on="category_id", how="left")
        return products.select(F.col("product_id").alias("item"), "kind", F.col("unit_price").alias("price"))
