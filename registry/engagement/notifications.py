"""Gold: whether notifications reached people, and how long people stayed after."""

from collections.abc import Mapping

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.transformer import transformer

from .sessions import sessions

SUCCESS_STATES = ("opened", "clicked")
_FOLLOWING_MS = 30 * 60 * 1000


def _days_of_their_notifications(changed: DataFrame, inputs: Mapping[str, DataFrame]) -> DataFrame:
    """The days of all notifications of the users whose notifications, states or sessions changed.

    A session counts for a notification that succeeded at any time before it, so the user is what changes travel by.
    """
    users = changed.select("user_id").distinct()
    theirs = inputs["notifications"].join(users, on="user_id", how="left_semi")
    return theirs.select(F.to_date("notification_time").alias("notif_date"))


def _and_their_own(changed: DataFrame, inputs: Mapping[str, DataFrame]) -> DataFrame:
    """Those, and the days that deleted notifications left."""
    own = changed.select(F.to_date("notification_time").alias("notif_date"))
    return own.union(_days_of_their_notifications(changed, inputs))


@transformer(
    table="global_notif_impact_per_day",
    reads={
        "notifications": "silver.user_notifications",
        "states": "silver.notification_states",
        "events": "silver.user_session_events",
    },
    partition_by=("notif_date",),
    rebuild_by=("notif_date",),
    touched={
        "notifications": _and_their_own,
        "states": _days_of_their_notifications,
        "events": _days_of_their_notifications,
    },
)
def global_notif_impact_per_day(notifications: DataFrame, states: DataFrame, events: DataFrame) -> DataFrame:
    """A row for each notification, with what it led to.

    Columns: ``user_id``, ``content_notif``, ``notif_date`` (UTC day it was sent), ``is_success`` (its latest state over
    both sources is opened or clicked; on a tie the application's counts), ``time_spend_after_success`` (seconds from the
    success to the end of the session that holds it; else the whole of the user's first session that begins within 30
    minutes after it; else 0).
    """
    succeeded = _with_success(notifications, states)
    return _with_time_after(succeeded, sessions(events)).select(
        "user_id",
        F.col("content").alias("content_notif"),
        F.to_date("notification_time").alias("notif_date"),
        F.col("success_ms").isNotNull().alias("is_success"),
        F.floor(F.coalesce("held_ms", "next_ms", F.lit(0)) / 1000).cast("bigint").alias("time_spend_after_success"),
    )


def _with_success(notifications: DataFrame, states: DataFrame) -> DataFrame:
    """``notifications`` with ``success_ms``: when the latest state was noted, if that is a success; else NULL."""
    noted = states.where(F.col("status").isNotNull() & F.col("updated_at").isNotNull())
    latest = noted.groupBy("user_id", "notification_id").agg(
        F.max(F.struct(F.col("updated_at").alias("at"), F.lit(1).alias("rank"), F.col("status").alias("state"))).alias(
            "noted"
        )
    )
    own = F.when(
        F.col("state").isNotNull() & F.col("modified_at").isNotNull(),
        F.struct(F.col("modified_at").alias("at"), F.lit(0).alias("rank"), F.col("state").alias("state")),
    )
    final = F.greatest(own, F.col("noted"))
    joined = notifications.join(latest, on=["user_id", "notification_id"], how="left").withColumn("final", final)
    success = F.col("final.state").isin(*SUCCESS_STATES)
    return joined.withColumn("success_ms", F.when(success, F.unix_millis("final.at"))).drop("noted", "final")


def _with_time_after(notifications: DataFrame, found: DataFrame) -> DataFrame:
    """``notifications`` with ``held_ms`` (the rest of the session that holds the success; the one that ends last) and
    ``next_ms`` (the whole of the first session to begin soon after it; of two at once the longer)."""
    key = ("user_id", "notification_time", "notification_id")
    near = (
        notifications.where(F.col("success_ms").isNotNull())
        .select(*key, "success_ms")
        .join(
            found.select(F.col("user_id").alias("session_user"), "begin_ms", "end_ms"),
            (F.col("user_id") == F.col("session_user"))
            & (F.col("begin_ms") <= F.col("success_ms") + _FOLLOWING_MS)
            & (F.col("end_ms") >= F.col("success_ms")),
            how="inner",
        )
    )
    holds = F.col("begin_ms") <= F.col("success_ms")
    length = F.col("end_ms") - F.col("begin_ms")
    after = near.groupBy(*key).agg(
        F.max(F.when(holds, F.col("end_ms") - F.col("success_ms"))).alias("held_ms"),
        F.min(F.when(~holds, F.struct(F.col("begin_ms"), (-length).alias("negative_length")))).alias("next"),
    )
    return notifications.join(after, on=list(key), how="left").withColumn("next_ms", -F.col("next.negative_length"))
