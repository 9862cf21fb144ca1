"""Sessions of visitors, from their clicks."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from lakehouse.transformer import transformer

from .lookups import is_robot, looked_up, registrable_domain

#: Silence after which a new session begins, where the source numbers none: 30 minutes, in milliseconds.
_SILENCE_MS = 1_800_000
_VISITOR = "coalesce(user_id, concat('session:', session_id))"
_STEPS = ("view", "cart", "checkout", "purchase")


_USED = ("event_id", "user_id", "session_id", "event_type", "url", "referrer", "user_agent", "device", "ts")
_WAYS = ("clicks", "messages")


@transformer(
    table="fct_click_features",
    reads={"clicks": "silver.clicks", "messages": "silver.click_messages"},
    grain=("session_key",),
    rebuild_by=("visitor",),
    narrows=dict.fromkeys(_WAYS, _VISITOR),
    uses=dict.fromkeys(_WAYS, _USED),
    columns={
        "session_key": "The session: its visitor, and the source's number of it or when it began.",
        "visitor": "The user; the session itself where nobody had signed in.",
        "user_id": "The user; NULL where nobody had signed in.",
        "session_id": "The source's number of it; NULL where it is told by 30 minutes of silence.",
        "session_date": "Day on which it began (UTC).",
        "started_at": "Its first event.",
        "ended_at": "Its last one.",
        "duration_s": "Seconds between the two, cut to whole ones.",
        "events": "Events in it.",
        "views": "Of them, pages seen.",
        "carts": "Of them, things put into the cart.",
        "checkouts": "Of them, checkouts.",
        "purchases": "Of them, purchases.",
        "landing_url": "The page of the first event.",
        "referrer_domain": "Registrable domain from which the first event came; `direct` without one.",
        "device_type_category": "Of the first event: mobile, desktop, tablet, other, unknown.",
        "is_bot": "Whether a program that is known to be a robot asked for one of its pages.",
        "is_bounce": "Whether it has one event only.",
    },
)
def fct_click_features(clicks: DataFrame, messages: DataFrame, *, device_types: DataFrame) -> DataFrame:
    """A row for each session, robots' sessions included, of events that came by files or as messages.

    An event that comes late repairs the sessions that it belongs to: all of its visitor are made anew.

    Args:
        device_types: ``device`` (in lower case) and ``category``.
    """
    events = _numbered(_once(clicks.unionByName(messages)))
    events = looked_up(events, "referrer", "domain", registrable_domain, "string")
    events = looked_up(events, "user_agent", "robot", is_robot, "boolean")
    known = F.broadcast(device_types.withColumnRenamed("device", "device_known"))
    events = events.join(known, F.lower("device") == F.col("device_known"), how="left")
    features = F.struct(
        "ts",
        "event_id",
        "url",
        F.coalesce("domain", F.lit("direct")).alias("domain"),
        F.coalesce("category", _category_of("user_agent")).alias("category"),
    )
    first = F.min(features)
    counts = [F.count_if(F.col("event_type") == step).alias(step) for step in _STEPS]
    by_session = events.groupBy("visitor", "user_id", "session_id", "silence").agg(
        first.alias("first"),
        F.max("ts").alias("ended_at"),
        F.count(F.lit(1)).alias("events"),
        *counts,
        F.coalesce(F.bool_or("robot"), F.lit(False)).alias("is_bot"),
    )
    began = F.col("first.ts")
    number = F.coalesce("session_id", F.concat(F.lit("~"), F.unix_millis(began).cast("string")))
    return by_session.select(
        F.concat_ws("|", "visitor", number).alias("session_key"),
        "visitor",
        "user_id",
        "session_id",
        F.to_date(began).alias("session_date"),
        began.alias("started_at"),
        "ended_at",
        F.floor((F.unix_micros("ended_at") - F.unix_micros(began)) / F.lit(1_000_000)).alias("duration_s"),
        "events",
        *(F.col(step).alias(f"{step}s") for step in _STEPS),
        F.col("first.url").alias("landing_url"),
        F.col("first.domain").alias("referrer_domain"),
        F.col("first.category").alias("device_type_category"),
        "is_bot",
        (F.col("events") == 1).alias("is_bounce"),
    )


def _once(events: DataFrame) -> DataFrame:
    """Each event once, with its ``visitor``: many come both ways, alike."""
    named = events.withColumn("visitor", F.expr(_VISITOR))
    others = [name for name in _USED if name != "event_id"]
    single = named.groupBy("visitor", "event_id").agg(F.min(F.struct(*others)).alias("event"))
    return single.select("visitor", "event_id", "event.*")


def _numbered(events: DataFrame) -> DataFrame:
    """``events`` with ``silence``: how many times their visitor was silent before; 0 where the source numbers sessions."""
    of_visitor = Window.partitionBy("visitor", "session_id").orderBy("ts", "event_id")
    before = F.unix_millis(F.lag("ts").over(of_visitor))
    begins = (F.unix_millis("ts") - before > _SILENCE_MS) & F.col("session_id").isNull()
    so_far = of_visitor.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    return events.withColumn("begins", F.coalesce(begins, F.lit(False)).cast("int")).withColumn(
        "silence", F.sum("begins").over(so_far)
    )


def _category_of(agent: str) -> Column:
    """What a program runs on, by what it calls itself."""
    return (
        F.when(F.col(agent).rlike("iPad|Tablet"), "tablet")
        .when(F.col(agent).rlike("Mobile|Android|iPhone"), "mobile")
        .when(F.col(agent).rlike("Windows|Macintosh|X11"), "desktop")
        .otherwise("unknown")
    )
