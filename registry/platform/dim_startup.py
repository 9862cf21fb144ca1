"""Young companies, each version of each."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from lakehouse.transformer import surrogate_key, transformer

_RATE = "decimal(12,6)"


@transformer(
    table="dim_startup",
    reads={"startups": "silver.startups"},
    grain=("startup_key",),
    rebuild_by=("startup_id",),
    narrows={"startups": "startup_id"},
    columns={
        "startup_key": "The version: a hash of company and beginning.",
        "startup_id": "The company.",
        "name": "Its name.",
        "founded": "Year.",
        "country": "Where it sits.",
        "stage": "Of funding, in lower case with spaces.",
        "funding_stage_score": "From 1 (pre seed) to 6 (growth); 0 for stages that are not known.",
        "amount_raised": "In the reporting currency; NULL where the currency has no rate.",
        "valuation": "The same.",
        "valuation_bucket": "Of the valuation, by the bounds of references/valuation_bounds.csv; `unknown` without one.",
        "employees": "How many.",
        "contact": "Pseudonym of the e-mail address.",
        "is_active": "Whether it still trades; NULL where nobody knows.",
        "valid_from": "From when on it was so (UTC).",
        "valid_to": "Until when; NULL of the current version.",
        "is_current": "Whether it is the newest version.",
    },
)
def dim_startup(
    startups: DataFrame,
    *,
    reporting_currency: str,
    currency_rates: DataFrame,
    funding_stages: DataFrame,
    valuation_bounds: DataFrame,
) -> DataFrame:
    """Versions of companies with money in ``reporting_currency``; one that was learned late takes its place among them.

    Args:
        currency_rates: ``currency`` and ``units_per_usd``, what a US dollar costs in it.
        funding_stages: ``stage`` and ``score``.
        valuation_bounds: ``bucket`` and ``from_amount``, in the reporting currency.
    """
    reporting = currency_rates.where(F.col("currency") == reporting_currency)
    rates = currency_rates.select("currency", F.col("units_per_usd").cast(_RATE).alias("units")).crossJoin(
        reporting.select(F.col("units_per_usd").cast(_RATE).alias("reporting"))
    )
    stage = F.lower(F.regexp_replace("stage", "[ _-]+", " "))
    named = startups.withColumn("stage", stage).join(F.broadcast(rates), on="currency", how="left")
    scored = named.join(F.broadcast(funding_stages), on="stage", how="left")
    valued = scored.withColumns({"raised": _converted("amount_raised"), "worth": _converted("valuation")})
    bounds = valuation_bounds.agg(F.sort_array(F.collect_list(F.struct("from_amount", "bucket"))).alias("bounds"))
    reached = F.filter("bounds", lambda bound: bound["from_amount"] <= F.col("worth"))
    next_version = F.lead("updated_at").over(Window.partitionBy("startup_id").orderBy("updated_at"))
    return valued.crossJoin(F.broadcast(bounds)).select(
        surrogate_key("startup_id", "updated_at").alias("startup_key"),
        "startup_id",
        "name",
        "founded",
        "country",
        "stage",
        F.coalesce(F.col("score").cast("int"), F.lit(0)).alias("funding_stage_score"),
        F.col("raised").alias("amount_raised"),
        F.col("worth").alias("valuation"),
        F.coalesce(F.get(reached, F.size(reached) - 1)["bucket"], F.lit("unknown")).alias("valuation_bucket"),
        "employees",
        F.col("contact_email").alias("contact"),
        "is_active",
        F.col("updated_at").alias("valid_from"),
        next_version.alias("valid_to"),
        next_version.isNull().alias("is_current"),
    )


def _converted(amount: str) -> Column:
    """An amount in the reporting currency, to the cent."""
    return (F.col(amount) * F.col("reporting") / F.col("units")).cast("decimal(18,2)")
