"""What to recommend to each customer."""

from lakehouse.learning import model
from lakehouse.learning.recommending import Recommending

from .buying import Buying


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
class Recommender(Buying, Recommending):
    """Which twenty products each customer may like."""
