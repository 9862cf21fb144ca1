"""What a rejected row leaves behind, and when it leaves."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lakehouse.iceberg.catalog import Catalog
from lakehouse.iceberg.lake import Lake
from lakehouse.paths import quarantine, quote
from lakehouse.silver.contract import FAILURE_TYPE, FAILURES, SilverShape
from lakehouse.silver.decide import MERGED, OUTCOME, REJECTED, SUPERSEDED
from lakehouse.silver.quarantine import COLUMNS, ROW, refresh, rejects
from lakehouse.testing import local_frame

AT = datetime(2026, 1, 1, tzinfo=UTC)
KEYED = SilverShape({}, ("id",))
SCHEMA = f"id int, v string, {quote(FAILURES)} {FAILURE_TYPE}, {quote(ROW)} string, {quote(OUTCOME)} string"
BROKEN = [{"rule": "type_v", "reason": "v: 'x' is not a int"}, {"rule": "there", "reason": "expected: w"}]


def decided(spark: SparkSession, *rows: tuple[int | None, str]) -> DataFrame:
    """Rows by id and outcome."""
    content = [
        (key, "x", BROKEN, json.dumps({"id": key, "v": "x"}) if outcome == REJECTED else None, outcome)
        for key, outcome in rows
    ]
    return local_frame(spark, content, SCHEMA)


def test_a_rejected_row_is_told_with_all_that_it_breaks_its_run_and_itself(spark: SparkSession) -> None:
    frame = decided(spark, (1, REJECTED), (2, MERGED), (3, SUPERSEDED))
    found = rejects(frame, KEYED, "run-1", AT)
    assert found.columns == list(COLUMNS)
    assert [row.asDict() for row in found.collect()] == [
        {
            "key": '{"id":1}',
            "rule": "type_v, there",
            "reason": "v: 'x' is not a int; expected: w",
            "run_id": "run-1",
            "rejected_at": AT.astimezone().replace(tzinfo=None),
            "row": '{"id": 1, "v": "x"}',
        }
    ]


def test_a_key_that_is_absent_is_told_as_null_and_a_table_without_a_key_has_none(spark: SparkSession) -> None:
    frame = decided(spark, (None, REJECTED))
    assert [row["key"] for row in rejects(frame, SilverShape({}, ("id", "v")), "r", AT).collect()] == [
        '{"id":null,"v":"x"}'
    ]
    assert [row["key"] for row in rejects(frame, SilverShape({}, ()), "r", AT).collect()] == [None]


def test_of_a_row_that_arrived_without_a_key_it_is_told_where_it_stood(spark: SparkSession) -> None:
    frame = decided(spark, (None, REJECTED), (1, REJECTED)).withColumn("file", F.lit("a.csv"))
    keys = [row["key"] for row in rejects(frame, SilverShape({}, ("id",), ("file",)), "r", AT).collect()]
    assert sorted(keys) == ['{"id":1}', '{"id":null,"file":"a.csv"}']


@pytest.fixture
def name(spark: SparkSession) -> Iterator[str]:
    found = f"q{uuid4().hex[:12]}"
    yield found
    spark.sql(f"DROP TABLE IF EXISTS {quarantine(found)} PURGE")


class Quarantine:
    """The quarantine of a table, batch after batch."""

    def __init__(self, spark: SparkSession, table: str) -> None:
        self.lake, self.table, self._runs = Lake(spark, Catalog.of_session(spark)), table, 0

    def take(self, *rows: tuple[int | None, str], whole: bool = False) -> None:
        self._runs += 1
        frame = decided(self.lake.spark, *rows)
        number = sum(outcome == REJECTED for _, outcome in rows)
        refresh(self.table, frame, KEYED, number, self.lake, f"run-{self._runs}", AT, whole=whole)

    def held(self) -> list[Any]:
        """Key and run of each row."""
        rows = self.lake.spark.table(str(quarantine(self.table))).collect()
        return sorted((json.loads(row["key"])["id"], row["run_id"]) for row in rows)


def test_a_row_stays_until_a_later_version_of_it_passes(spark: SparkSession, name: str) -> None:
    found = Quarantine(spark, name)
    found.take((1, REJECTED), (2, REJECTED), (3, MERGED))
    assert found.held() == [(1, "run-1"), (2, "run-1")]
    found.take((1, MERGED), (4, REJECTED))
    assert found.held() == [(2, "run-1"), (4, "run-2")]
    found.take((2, REJECTED))
    assert found.held() == [(2, "run-3"), (4, "run-2")]


def test_after_all_of_raw_nothing_else_stays(spark: SparkSession, name: str) -> None:
    found = Quarantine(spark, name)
    found.take((1, REJECTED), (2, REJECTED))
    found.take((3, REJECTED), (1, MERGED), whole=True)
    assert found.held() == [(3, "run-2")]
    found.take((3, MERGED), whole=True)
    assert found.held() == []


def test_where_nothing_was_ever_rejected_there_is_no_table(spark: SparkSession, name: str) -> None:
    found = Quarantine(spark, name)
    found.take((1, MERGED))
    assert found.lake.catalog.find(quarantine(name)) is None


def test_where_nothing_is_rejected_and_nothing_stays_nothing_is_committed(spark: SparkSession, name: str) -> None:
    found = Quarantine(spark, name)
    found.take((1, REJECTED))
    found.take((1, MERGED))
    head = found.lake.catalog.get(quarantine(name)).head
    found.take((2, MERGED))
    assert found.lake.catalog.get(quarantine(name)).head == head
