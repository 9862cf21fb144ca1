"""Gold: what each user did each day."""

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.transformer import Touched, transformer

from .sessions import DAY_MS, sessions


def _days_of_sessions(changed: DataFrame, inputs: Mapping[str, DataFrame]) -> DataFrame:
    """All days of the sessions that changed events belong to, before and after the change."""
    whole = inputs["events"].join(
        changed.select("user_id", "session_id").distinct(), on=["user_id", "session_id"], how="left_semi"
    )
    known = sessions(whole.unionByName(changed))
    return known.select(F.explode(_days_of(F.col("begin_ms"), F.col("end_ms"))).alias("date"))


def _day_of(moment: str) -> Touched:
    return lambda changed, inputs: changed.select(F.to_date(moment).alias("date"))


@transformer(
    table="global_user_activity_per_day",
    reads={
        "events": "silver.user_session_events",
        "messages": "silver.group_messages",
        "purchases": "silver.user_purchases",
    },
    grain=("user_id", "date"),
    partition_by=("date",),
    rebuild_by=("date",),
    touched={
        "events": _days_of_sessions,
        "messages": _day_of("created_at"),
        "purchases": _day_of("purchase_time"),
    },
)
def global_user_activity_per_day(
    events: DataFrame,
    messages: DataFrame,
    purchases: DataFrame,
    *,
    reporting_currency: str,
    currency_rates: DataFrame,
) -> DataFrame:
    """A row for each user and UTC day with any session, message or purchase.

    Columns: ``user_id``, ``date``, ``total_nbr_connexion`` (sessions that begin that day), ``total_spend_time``
    (seconds in sessions, each split at midnight), ``total_message_send_this_day``, ``total_money_spend`` (purchases of
    the day in ``reporting_currency``).

    Args:
        currency_rates: ``currency`` and ``units_per_usd``, what a US dollar costs in it.
    """
    parts = [
        _session_days(sessions(events)),
        messages.where(F.col("user_id").isNotNull())
        .groupBy("user_id", F.to_date("created_at").alias("date"))
        .agg(F.count(F.lit(1)).alias("messages")),
        _spending(purchases, currency_rates, reporting_currency),
    ]
    measures = ("connections", "spent_ms", "messages", "money")
    rows = [part.select("user_id", "date", *(_or_zero(part, name) for name in measures)) for part in parts]
    return (
        rows[0]
        .unionByName(rows[1])
        .unionByName(rows[2])
        .groupBy("user_id", "date")
        .agg(*(F.sum(name).alias(name) for name in measures))
        .select(
            "user_id",
            "date",
            F.col("connections").cast("int").alias("total_nbr_connexion"),
            F.floor(F.col("spent_ms") / 1000).cast("bigint").alias("total_spend_time"),
            F.col("messages").cast("int").alias("total_message_send_this_day"),
            F.col("money").cast("double").alias("total_money_spend"),
        )
    )


def _session_days(found: DataFrame) -> DataFrame:
    """A row for each session and day that it touches: whether it begins then, and its milliseconds of that day."""
    by_day = found.select(
        "user_id", "begin_ms", "end_ms", F.explode(_days_of(F.col("begin_ms"), F.col("end_ms"))).alias("date")
    )
    midnight = F.unix_date("date").cast("bigint") * DAY_MS
    spent = F.least("end_ms", midnight + DAY_MS) - F.greatest("begin_ms", midnight)
    begins = (F.col("begin_ms") >= midnight).cast("int")
    return by_day.select("user_id", "date", begins.alias("connections"), spent.alias("spent_ms"))


def _days_of(begin_ms: Column, end_ms: Column) -> Column:
    return F.sequence(_day(begin_ms), _day(end_ms))


def _day(moment_ms: Column) -> Column:
    return F.date_from_unix_date(F.floor(moment_ms / DAY_MS).cast("int"))


def _spending(purchases: DataFrame, rates: DataFrame, reporting_currency: str) -> DataFrame:
    """Money by user and day, in ``reporting_currency``. A purchase in a currency without a rate does not count."""
    reporting = rates.where(F.col("currency") == reporting_currency).select(
        F.col("units_per_usd").alias("reporting_units")
    )
    converted = (
        purchases.join(F.broadcast(rates), on="currency", how="inner")
        .crossJoin(F.broadcast(reporting))
        .withColumn("money", F.col("amount").cast("double") / F.col("units_per_usd") * F.col("reporting_units"))
    )
    return converted.groupBy("user_id", F.to_date("purchase_time").alias("date")).agg(F.sum("money").alias("money"))


def _or_zero(part: DataFrame, name: str) -> Column:
    return F.col(name) if name in part.columns else F.lit(0).alias(name)
