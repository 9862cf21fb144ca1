"""Keys of the lake beside keys of the source: by Spark and on the driver alike."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from lakehouse.raw.deletes import Difference, difference, difference_here, is_due, latest
from lakehouse.raw.state import State
from lakehouse.registry.tables import SourceTable
from lakehouse.sources.reader import COVERED
from lakehouse.testing import local_frame

T = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hour) for hour in range(4)]
RAW = "id int, part string, _ingested_at timestamp, _op string"
#: 1 stays, 2 was deleted and came back, 3 was deleted, 4 has a NULL in its key, 5 goes.
ROWS = [
    (1, "a", T[0], "upsert"), (1, "a", T[1], "upsert"), (2, "a", T[0], "upsert"), (2, "a", T[1], "delete"),
    (2, "a", T[2], "upsert"), (3, "a", T[0], "upsert"), (3, "a", T[1], "delete"), (4, None, T[0], "upsert"),
    (5, "a", T[0], "upsert"),
]  # fmt: skip
#: 6 is new and comes by another read, 7 is behind the watermark.
SOURCE = [(1, "a", False), (2, "a", False), (4, None, False), (6, "a", True), (7, "a", False)]


def by_spark(spark: SparkSession, rows: list[Any], source: list[Any]) -> Difference:
    frame = local_frame(spark, source, f"id int, part string, `{COVERED}` boolean")
    return difference(local_frame(spark, rows, RAW), frame, ["id", "part"])


def on_the_driver(spark: SparkSession, rows: list[Any], source: list[Any]) -> Difference:
    ids, parts, covered = zip(*source, strict=True) if source else ((), (), ())
    table = pa.table({"id": pa.array(ids, pa.int64()), "part": pa.array(parts, pa.string()),
                      COVERED: pa.array(covered, pa.bool_())})  # fmt: skip
    return difference_here(local_frame(spark, rows, RAW).toArrow(), table, ["id", "part"])


@pytest.mark.parametrize("compared", [by_spark, on_the_driver])
def test_what_is_gone_unseen_and_new_is_told_apart(spark: SparkSession, compared: Any) -> None:
    found = compared(spark, ROWS, SOURCE)
    assert found.gone.to_pylist() == [{"id": 5, "part": "a"}]
    assert found.unseen.to_pylist() == [{"id": 7, "part": "a"}]
    assert (found.new, found.source_keys) == (2, 5)


@pytest.mark.parametrize("compared", [by_spark, on_the_driver])
def test_a_source_that_shows_nothing_lacks_every_key(spark: SparkSession, compared: Any) -> None:
    found = compared(spark, ROWS, [])
    assert sorted(row["id"] for row in found.gone.to_pylist()) == [1, 2, 4, 5]
    assert (found.unseen.num_rows, found.source_keys) == (0, 0)


def test_the_newest_version_of_each_key_counts_unless_it_is_a_tombstone(spark: SparkSession) -> None:
    found = latest(local_frame(spark, ROWS, RAW), ["id", "part"]).collect()
    assert sorted((row.id, row._ingested_at.replace(tzinfo=UTC) == T[0]) for row in found) == [
        (1, False), (2, False), (4, True), (5, True)]  # fmt: skip


@pytest.mark.parametrize(
    ("deletes", "compared_at", "due"),
    [
        ({}, T[0], True),
        ({"detect": "never"}, None, False),
        ({"every": "2 hours"}, None, True),
        ({"every": "2 hours"}, T[1], True),
        ({"every": "2 hours"}, T[2], False),
    ],
)
def test_keys_are_compared_as_often_as_the_table_says(deletes: Any, compared_at: datetime | None, due: bool) -> None:
    table = SourceTable.model_validate(
        {"table": "a", "domain": "d", "source": {"connection": "c", "relation": "r"}, "deletes": deletes}
    )
    assert is_due(table, State(taken_at=T[0], keys_compared_at=compared_at), T[3]) is due
    assert not is_due(table, None, T[3])
