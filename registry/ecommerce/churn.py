"""Which customers will order nothing in the next 90 days."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.learning import Known, model
from lakehouse.learning.leaving import Leaving


@model(
    name="churn",
    scores="churn_scores",
    reads={"items": "gold.fct_order_items", "returns": "silver.returns", "orders": "silver.orders"},
    times={"items": "placed_at", "returns": "returned_at", "orders": "placed_at"},
    clock="orders",
    holdout_days=90,
    gate="pr_auc",
    grain="customer_id",
    columns={
        "customer_id": "A customer with an order in the 180 days before.",
        "probability": "That no order comes in the 90 days after, in [0, 1].",
        "decile": "1: the tenth most likely to leave … 10: the tenth least likely.",
    },
    not_for="decisions about a single customer that they would have to bear: prices, credit, or whether they are served",
)
class Churn(Leaving):
    """Which customers will order nothing in the next 90 days."""

    def events(self, known: Known) -> DataFrame:
        """Orders as they were placed, cancelled ones too: which are cancelled later is not known on a day."""
        items = known.table("items").where(F.col("customer_id").isNotNull())
        cents = (F.col("gmv") * 100).cast("bigint")
        by_order = items.groupBy("order_id", F.col("customer_id").alias("one"), F.col("placed_at").alias("at"))
        return by_order.agg(F.sum(cents).alias("amount"))

    def incidents(self, known: Known) -> DataFrame:
        """Returns, by when they were asked for."""
        orders = known.table("orders").where(F.col("customer_id").isNotNull()).select("order_id", "customer_id")
        returns = known.table("returns").join(orders, on="order_id")
        return returns.select(F.col("customer_id").alias("one"), F.col("returned_at").alias("at"))
