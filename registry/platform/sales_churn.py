"""Which buyers of the sales documents will buy nothing in the next fourteen days: the learner of the shop's churn."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.learning import Known, model
from lakehouse.learning.leaving import Leaving


@model(
    name="sales_churn",
    scores="sales_churn_scores",
    reads={"sales": "gold.fct_sales", "buyers": "gold.agg_customer_metrics"},
    times={"sales": "sold_at"},
    clock="sales",
    holdout_days=14,
    retrain_days=7,
    gate="pr_auc",
    grain="customer_id",
    columns={
        "customer_id": "A buyer with a sale in the 30 days before.",
        "probability": "That no sale comes in the 14 days after, in [0, 1].",
        "decile": "1: the tenth most likely to leave … 10: the tenth least likely.",
    },
    not_for="decisions about a single buyer that they would have to bear",
)
class SalesChurn(Leaving):
    """Which buyers will buy nothing in the next fourteen days."""

    horizon_days, active_days, step_days, most_days, rhythm_days = 14, 30, 7, 4, 7.0

    def events(self, known: Known) -> DataFrame:
        """Sales of the buyers of whom there are metrics, as they were made: what is returned later is not known on a day."""
        sales = known.table("sales").join(
            known.table("buyers").select("customer_id"), on="customer_id", how="left_semi"
        )
        cents = F.coalesce(F.sum((F.col("amount") * 100).cast("bigint")), F.lit(0))
        by_sale = sales.groupBy("sale_id", F.col("customer_id").alias("one"), F.col("sold_at").alias("at"))
        return by_sale.agg(cents.alias("amount"))

    def incidents(self, known: Known) -> DataFrame:
        """None: when a sale was returned, no document says."""
        return (
            known.table("sales").where("false").select(F.col("customer_id").alias("one"), F.col("sold_at").alias("at"))
        )
