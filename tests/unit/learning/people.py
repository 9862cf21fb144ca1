"""What made-up people do, for tests of what learns: some often and some seldom, and some leave."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from lakehouse.registry.known import Known
from lakehouse.testing import local_frame

BEGIN, END = datetime(2025, 1, 1, tzinfo=UTC), date(2026, 3, 1)
Event = tuple[int, datetime, int]


def events(people: int = 250, seed: int = 1, days: int = 424) -> list[Event]:
    """Who, when, and how much (cents): each with a rhythm of their own, and a chance to leave after each event."""
    random, found = Random(seed), list[Event]()
    for one in range(people):
        gap, leaves = random.choice((4, 15, 40)), random.choice((0.01, 0.05, 0.15))
        at = random.uniform(0, 300)
        while at < days:
            found.append((one, BEGIN + timedelta(days=at), random.randint(100, 9_000)))
            if random.random() < leaves:
                break
            at += gap * random.uniform(0.6, 1.4)
    return found


def frame(
    spark: SparkSession, rows: Sequence[tuple[Any, ...]], schema: str = "one int, at timestamp, amount bigint"
) -> DataFrame:
    return local_frame(spark, list(rows), schema)


def known(until: date = END, **rows: DataFrame) -> Known:
    """All inputs have the time ``at``."""
    return Known(rows, {name: "at" for name, found in rows.items() if "at" in found.columns}, until)
