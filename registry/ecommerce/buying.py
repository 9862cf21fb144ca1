"""Who bought what, and who there is: what the models that recommend ask of the shop."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.learning import Known


class Buying:
    """Lines of orders and customers, as learners want them."""

    def taken(self, known: Known) -> DataFrame:
        """Lines of orders as they were placed."""
        items = known.table("items").where("customer_id IS NOT NULL AND product_id IS NOT NULL")
        return items.select(
            F.col("customer_id").alias("one"), F.col("product_id").alias("item"), F.col("placed_at").alias("at")
        )

    def ones(self, known: Known) -> DataFrame:
        """All customers, by country."""
        return known.table("customers").select(F.col("customer_id").alias("one"), F.col("country").alias("place"))
