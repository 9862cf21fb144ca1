"""Sessions from their events: what the gold tables of this domain share."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

DAY_MS = 86_400_000


def sessions(events: DataFrame) -> DataFrame:
    """A row for each session: ``user_id``, ``session_id``, ``begin_ms`` and ``end_ms``, the milliseconds since
    1970-01-01 UTC of its first and its last event."""
    moment = F.unix_millis("event_time")
    return events.groupBy("user_id", "session_id").agg(F.min(moment).alias("begin_ms"), F.max(moment).alias("end_ms"))


def sessions_of(changed: DataFrame, events: DataFrame) -> DataFrame:
    """:func:`sessions`, of ``events``, that one of the ``changed`` events belongs to."""
    key = ["user_id", "session_id"]
    return sessions(events.join(F.broadcast(changed.select(*key).distinct()), on=key, how="left_semi"))
