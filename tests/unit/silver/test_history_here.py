"""History that the driver merges is history that Spark merges. `test_history` holds the versions equal, here the tables are."""

from datetime import timedelta
from random import Random

import pytest
from pyspark.sql import SparkSession

from tests.unit.silver.two_ways import START, Row, TwoWays, random_row


def stamped(random: Random, load: int) -> Row:
    """A random row whose cursor lies about its load: earlier than others of its key, or after a delete was seen."""
    row = random_row(random)
    if row["at"] is not None:
        row["at"] = START + timedelta(hours=load, minutes=30 * random.randint(-5, 3))
    return row


def test_random_loads_come_to_the_same_versions(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    random = Random(3)
    both = TwoWays(spark, monkeypatch, cursor="at", history=True, partition_by=["months(born)", "part"])
    try:
        both.load([stamped(random, 1) for _ in range(200)])
        both.make_history()
        merged = []
        for load in (2, 3):
            both.load([stamped(random, load) for _ in range(200)])
            merged.append(both.make_history().books)
        assert min(books.rejected for books in merged) > 0
        assert min(books.superseded for books in merged) > 0
    finally:
        both.drop()
