"""Spark starts once, when it is asked for or expected, and nobody who does not ask waits for it."""

import threading
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from lakehouse.errors import SystemFailureError
from lakehouse.iceberg.catalog import Catalog
from lakehouse.iceberg.lake import Lake
from lakehouse.spark import _FOR_LITTLE, _FOR_SOME, _LITTLE, _SOME, Sessions, frame_of, plan, rows_to_frame


class Start:
    """Starts a Spark that is none, once it may."""

    def __init__(self, error: Exception | None = None) -> None:
        self.calls, self.may, self._error = 0, threading.Event(), error
        self.session: Any = object()

    def __call__(self) -> SparkSession:
        self.calls += 1
        assert self.may.wait(10)
        if self._error is not None:
            raise self._error
        return cast(SparkSession, self.session)

    def lake(self, *, computes: bool) -> Lake:
        return Lake(Sessions(self, is_local=True), cast(Catalog, None), computes=computes)


def test_it_is_not_started_before_it_is_asked_for() -> None:
    start = Start()
    sessions = Sessions(start, is_local=True)
    assert (start.calls, sessions.failure) == (0, None)
    start.may.set()
    assert sessions.first() is sessions.first() is start.session
    assert start.calls == 1


def test_who_expects_it_does_not_wait_and_who_asks_gets_the_one_that_was_expected() -> None:
    start = Start()
    sessions = Sessions(start, is_local=True)
    sessions.expect()
    sessions.expect()
    assert sessions.failure is None
    start.may.set()
    assert sessions.first() is start.session
    assert start.calls == 1


def test_all_that_ask_are_told_that_it_did_not_start_and_why_is_kept() -> None:
    cause = ValueError("no such host")
    start = Start(cause)
    start.may.set()
    sessions = Sessions(start, is_local=True)
    for _ in range(2):
        with pytest.raises(SystemFailureError, match=r"Spark did not start; the error of the run says why"):
            sessions.first()
    assert sessions.failure is cause
    assert start.calls == 1


@pytest.mark.parametrize("computes", [True, False])
def test_what_comes_lets_it_start_only_where_something_is_computed_from_it(computes: bool) -> None:
    start = Start()
    start.may.set()
    lake = start.lake(computes=computes)
    own = lake.in_a_session_of_its_own()
    assert start.calls == 0
    own.something_came()
    lake.sessions._thread.shutdown(wait=True)
    assert start.calls == computes


def test_each_table_has_a_session_of_its_own(spark: SparkSession) -> None:
    lake = Lake(spark, Catalog.of_session(spark))
    one, other = lake.in_a_session_of_its_own(), lake.in_a_session_of_its_own()
    assert lake.spark is spark
    assert one.spark is one.spark
    assert len({id(lake.spark), id(one.spark), id(other.spark)}) == 3
    one.spark.conf.set("lakehouse.test", "mine")
    assert other.spark.conf.get("lakehouse.test", "none") == "none"
    assert one.changes is other.changes is lake.changes


def test_work_of_the_engine_goes_on_with_a_session_that_nobody_uses(spark: SparkSession) -> None:
    lake = Lake(spark, Catalog.of_session(spark))
    with lake.in_a_session_of_the_engine() as one, lake.in_a_session_of_the_engine() as other:
        assert len({id(spark), id(one.spark), id(other.spark)}) == 3
        used = {id(one.spark), id(other.spark)}
    with lake.in_a_session_of_the_engine() as again, lake.in_a_session_of_the_engine() as more:
        assert {id(again.spark), id(more.spark)} == used
        assert lake.in_a_session_of_its_own().spark not in (again.spark, more.spark)


def test_a_session_in_which_work_failed_is_not_used_again(spark: SparkSession) -> None:
    lake = Lake(spark, Catalog.of_session(spark))
    spoilt = []

    def fail() -> None:
        with lake.in_a_session_of_the_engine() as failed:
            spoilt.append(failed.spark)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with lake.in_a_session_of_the_engine() as next_one:
        assert next_one.spark is not spoilt[0]


def test_a_session_that_nobody_asked_for_is_not_started() -> None:
    start = Start()
    start.may.set()
    lake = start.lake(computes=True)
    with lake.in_a_session_of_the_engine():
        pass
    assert start.calls == 0


def test_a_session_plans_for_little_data_and_for_much_as_it_did_before(spark: SparkSession) -> None:
    """Table after table in one session: what was set for a small one says nothing of the next."""
    lake = Lake(spark, Catalog.of_session(spark))
    planned, other = (lake.in_a_session_of_its_own().spark for _ in range(2))
    before = {name: planned.conf.get(name) for name in _FOR_LITTLE}
    assert plan(planned, _LITTLE)
    assert {name: planned.conf.get(name) for name in _FOR_LITTLE} == _FOR_LITTLE
    assert {name: other.conf.get(name) for name in _FOR_LITTLE} == before
    assert not plan(planned, _LITTLE + 1)
    assert {name: planned.conf.get(name) for name in _FOR_LITTLE} == before | _FOR_SOME
    assert not plan(planned, _SOME + 1)
    assert {name: planned.conf.get(name) for name in _FOR_LITTLE} == before


def test_rows_are_the_same_whatever_they_are_planned_for(spark: SparkSession) -> None:
    own = Lake(spark, Catalog.of_session(spark)).in_a_session_of_its_own().spark
    query = (
        "SELECT a.k, count(*) AS n, sum(b.x) AS x, max(row_number) AS last FROM (SELECT id % 3 AS k, id FROM range(20)) a "
        "JOIN (SELECT /*+ BROADCAST(c) */ id, id * 1.5 AS x, row_number() OVER (PARTITION BY id % 3 ORDER BY id) AS row_number "
        "FROM range(20) c) b ON a.id = b.id GROUP BY a.k ORDER BY a.k"
    )
    found = []
    for size in (_LITTLE, _SOME, _SOME + 1):
        plan(own, size)
        found.append(own.sql(query).collect())
    assert found[0] == found[1] == found[2]


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lengths=st.lists(st.sampled_from([0, 0, 1, 2, 9]), max_size=6))
def test_rows_come_to_spark_whatever_the_batches_that_hold_them(spark: SparkSession, lengths: list[int]) -> None:
    schema = pa.schema([("id", pa.int64()), ("at", pa.timestamp("us", "UTC"))])
    first = [sum(lengths[:place]) for place in range(len(lengths))]
    batches = [
        pa.record_batch([pa.array(range(at, at + n), kind) for kind in schema.types], schema)
        for at, n in zip(first, lengths, strict=True)
    ]
    rows = pa.Table.from_batches(batches, schema)
    expected = list(range(sum(lengths)))
    apart = spark.newSession()
    apart.conf.set("spark.sql.execution.arrow.localRelationThreshold", "0")
    for frame in (
        rows_to_frame(apart, rows),
        rows_to_frame(spark, rows),
        rows_to_frame(spark, rows, "id bigint, at timestamp"),
        frame_of(spark, rows),
    ):
        assert [row.id for row in frame.collect()] == expected


def test_arrow_comes_to_spark_in_one_way_only() -> None:
    engine = Path(rows_to_frame.__code__.co_filename).parent
    others = [path.name for path in engine.rglob("*.py") if "createDataFrame(" in path.read_text()]
    assert sorted(others) == ["plan.py", "spark.py", "testing.py"]  # of no row; of Python objects
