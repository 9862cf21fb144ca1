"""Which customers behave alike."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.learning import Known, model
from lakehouse.learning.groups import Groups


@model(
    name="customer_groups",
    scores="customer_clusters",
    reads={"items": "gold.fct_order_items"},
    times={"items": "placed_at"},
    clock="items",
    holdout_days=30,
    gate="silhouette",
    grain="customer_id",
    columns={
        "customer_id": "A customer with an order.",
        "cluster": "Number of the group, from 1; it stays when the model is trained again and finds as many groups.",
        "profile": "What stands out in the group.",
        "distance": "From the middle of the group, in standard deviations.",
    },
    not_for="prices or services that differ by customer: a group says what many did, not what one wants",
)
class CustomerGroups(Groups):
    """Which customers behave alike, by how often, how much and how lately they buy."""

    features = {  # noqa: RUF012
        "orders": ("orders often", "orders seldom"),
        "spent": ("spends much", "spends little"),
        "recency_days": ("long away", "here lately"),
        "lines": ("large baskets", "small baskets"),
        "discounted": ("buys at discounts", "pays full prices"),
    }
    skewed = ("orders", "spent", "recency_days")

    def behaviour(self, known: Known) -> DataFrame:
        """Of all orders as they were placed."""
        items = known.table("items").where(F.col("customer_id").isNotNull())
        orders = F.count_distinct("order_id")
        return items.groupBy(F.col("customer_id").alias("one")).agg(
            orders.alias("orders"),
            F.sum("gmv").cast("double").alias("spent"),
            F.datediff(F.lit(known.until), F.max(F.to_date("placed_at"))).alias("recency_days"),
            (F.count(F.lit(1)) / orders).alias("lines"),
            F.avg(F.when(F.col("discount") > 0, 1.0).otherwise(0.0)).alias("discounted"),
        )
