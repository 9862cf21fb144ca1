"""Gold: what each user did each day."""

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.transformer import transformer

from .sessions import DAY_MS, sessions, sessions_of


def _days_of_sessions(changed: DataFrame, inputs: Mapping[str, DataFrame]) -> DataFrame:
    """The users of the sessions that changed events belong to, on all days of these."""
    found = sessions_of(changed, inputs["events"])
    return found.select("user_id", F.explode(_days_of(F.col("begin_ms"), F.col("end_ms"))).alias("date"))


@transformer(
    table="global_user_activity_per_day",
    reads={
        "events": "silver.user_session_events",
        "messages": "silver.group_messages",
        "purchases": "silver.user_purchases",
    },
    grain=("user_id", "date"),
    partition_by=("date",),
    rebuild_by=("user_id", "date"),
    narrows={
        "messages": ("user_id", "to_date(created_at)"),
        "purchases": ("user_id", "to_date(purchase_time)"),
    },
    touched={"events": _days_of_sessions},
)
def global_user_activity_per_day(
    events: DataFrame,
    messages: DataFrame,
    purchases: DataFrame,
    *,
    reporting_currency: str,
    currency_rates: DataFrame,
    parts: DataFrame | None,
) -> DataFrame:
    """A row for each user and UTC day with any session, message or purchase.

    Columns: ``user_id``, ``date``, ``total_nbr_connexion`` (sessions that begin that day), ``total_spend_time``
    (seconds in sessions, each split at midnight), ``total_message_send_this_day``, ``total_money_spend`` (purchases of
    the day in ``reporting_currency``).

    Args:
        currency_rates: ``currency`` and ``units_per_usd``, what a US dollar costs in it.
        parts: the users and days to make; all when absent. Other days of the same users may come with them.
    """
    measured = [
        _session_days(sessions(_of_users(events, parts))),
        messages.where(F.col("user_id").isNotNull())
        .groupBy("user_id", F.to_date("created_at").alias("date"))
        .agg(F.count(F.lit(1)).alias("messages")),
        _spending(purchases, currency_rates, reporting_currency),
    ]
    measures = ("connections", "spent_ms", "messages", "money")
    rows = [found.select("user_id", "date", *(_or_zero(found, name) for name in measures)) for found in measured]
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


def _of_users(events: DataFrame, parts: DataFrame | None) -> DataFrame:
    """The events of the users in ``parts``: a session touches days on which it has no event."""
    if parts is None:
        return events
    return events.join(F.broadcast(parts.select("user_id").distinct()), on="user_id", how="left_semi")


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


def _or_zero(found: DataFrame, name: str) -> Column:
    return F.col(name) if name in found.columns else F.lit(0).alias(name)
