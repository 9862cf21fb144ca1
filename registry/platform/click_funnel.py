"""How far visitors come, by day."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.transformer import transformer


@transformer(
    table="click_funnel_daily",
    reads={"sessions": "gold.fct_click_features"},
    grain=("date", "device_type_category", "referrer_domain"),
    rebuild_by=("date",),
    narrows={"sessions": "session_date"},
    columns={
        "date": "Day on which sessions began (UTC).",
        "device_type_category": "mobile, desktop, tablet, other, unknown.",
        "referrer_domain": "From where they came; `direct` without.",
        "sessions": "Sessions that are no robot's.",
        "viewed": "Of them, those with a page seen.",
        "carted": "Those with something put into the cart.",
        "checked_out": "Those with a checkout.",
        "purchased": "Those with a purchase.",
        "bounced": "Those with one event only.",
        "conversion_rate": "purchased / sessions.",
    },
)
def click_funnel_daily(sessions: DataFrame) -> DataFrame:
    """Sessions by the steps that they reached."""
    reached = {"viewed": "views", "carted": "carts", "checked_out": "checkouts", "purchased": "purchases"}
    return (
        sessions.where(~F.col("is_bot"))
        .groupBy(F.col("session_date").alias("date"), "device_type_category", "referrer_domain")
        .agg(
            F.count(F.lit(1)).alias("sessions"),
            *(F.count_if(F.col(step) > 0).alias(name) for name, step in reached.items()),
            F.count_if("is_bounce").alias("bounced"),
        )
        .withColumn("conversion_rate", F.col("purchased") / F.col("sessions"))
    )
