"""Gold: whether notifications reached people, and how long people stayed after."""

from collections.abc import Mapping

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.transformer import transformer

from .sessions import sessions, sessions_of

SUCCESS_STATES = ("opened", "clicked")
_FOLLOWING_MS = 30 * 60 * 1000
_KEY = ("user_id", "notification_time", "notification_id")


def _days_of_noted(changed: DataFrame, inputs: Mapping[str, DataFrame]) -> DataFrame:
    """The days of the notifications whose state in the application changed."""
    noted = F.broadcast(changed.select("user_id", "notification_id").distinct())
    found = inputs["notifications"].join(noted, on=["user_id", "notification_id"], how="left_semi")
    return found.select(F.to_date("notification_time").alias("notif_date"))


def _days_led_to(changed: DataFrame, inputs: Mapping[str, DataFrame]) -> DataFrame:
    """The days of the notifications that led to one of the sessions that changed events belong to."""
    users = F.broadcast(changed.select("user_id").distinct())
    theirs = [inputs[name].join(users, on="user_id", how="left_semi") for name in ("notifications", "states")]
    led_to = _near(_with_success(*theirs), sessions_of(changed, inputs["events"]))
    return led_to.select(F.to_date("notification_time").alias("notif_date"))


@transformer(
    table="global_notif_impact_per_day",
    reads={
        "notifications": "silver.user_notifications",
        "states": "silver.notification_states",
        "events": "silver.user_session_events",
    },
    partition_by=("notif_date",),
    rebuild_by=("notif_date",),
    narrows={"notifications": "to_date(notification_time)"},
    touched={"states": _days_of_noted, "events": _days_led_to},
)
def global_notif_impact_per_day(notifications: DataFrame, states: DataFrame, events: DataFrame) -> DataFrame:
    """A row for each notification, with what it led to.

    Columns: ``user_id``, ``content_notif``, ``notif_date`` (UTC day it was sent), ``is_success`` (its latest state over
    both sources is opened or clicked; on a tie the application's counts), ``time_spend_after_success`` (seconds from the
    success to the end of the session that holds it; else the whole of the user's first session that begins within 30
    minutes after it; else 0).
    """
    succeeded = _with_success(notifications, states)
    users = succeeded.where(F.col("success_ms").isNotNull()).select("user_id")
    theirs = events.join(users, on="user_id", how="left_semi")
    return _with_time_after(succeeded, sessions(theirs)).select(
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
    near = _near(notifications, found)
    holds = F.col("begin_ms") <= F.col("success_ms")
    length = F.col("end_ms") - F.col("begin_ms")
    after = near.groupBy(*_KEY).agg(
        F.max(F.when(holds, F.col("end_ms") - F.col("success_ms"))).alias("held_ms"),
        F.min(F.when(~holds, F.struct(F.col("begin_ms"), (-length).alias("negative_length")))).alias("next"),
    )
    return notifications.join(after, on=list(_KEY), how="left").withColumn("next_ms", -F.col("next.negative_length"))


def _near(notifications: DataFrame, found: DataFrame) -> DataFrame:
    """The notifications that succeeded, with each session that holds the success or begins soon after it."""
    succeeded = notifications.where(F.col("success_ms").isNotNull()).select(*_KEY, "success_ms")
    return succeeded.join(
        found.select(F.col("user_id").alias("session_user"), "begin_ms", "end_ms"),
        (F.col("user_id") == F.col("session_user"))
        & (F.col("begin_ms") <= F.col("success_ms") + _FOLLOWING_MS)
        & (F.col("end_ms") >= F.col("success_ms")),
        how="inner",
    )
