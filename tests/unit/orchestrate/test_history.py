"""What earlier runs did, read back from ``ops`` as they left it there."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from pyspark.sql import SparkSession

from lakehouse import paths
from lakehouse.iceberg.catalog import Catalog
from lakehouse.iceberg.lake import Lake
from lakehouse.orchestrate import history, ops
from lakehouse.orchestrate.history import ends_by_run, last_ends, open_runs, past_runs
from lakehouse.orchestrate.ops import RunRecord, record_runs, record_tables
from lakehouse.orchestrate.runs import Kind, Plan, Status, TableRun
from lakehouse.paths import raw, silver

AT = datetime(2026, 1, 1, tzinfo=UTC)
PLAN = Plan(tables=("raw.a",)).model_dump_json()


@pytest.fixture
def lake(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lake]:
    """A lake whose ``ops`` is this test's own."""
    tag = uuid4().hex[:8]
    made = {"RUNS": paths.ops(f"runs_{tag}"), "TABLE_RUNS": paths.ops(f"table_runs_{tag}")}
    for constant, name in made.items():
        monkeypatch.setattr(ops, constant, name)
        monkeypatch.setattr(history, constant, name)
    yield Lake(spark, Catalog.of_session(spark))
    for name in made.values():
        spark.sql(f"DROP TABLE IF EXISTS {name} PURGE")


def record(run_id: str, status: Status, kind: Kind = Kind.PIPELINE, failed: int = 0) -> RunRecord:
    return RunRecord(run_id, status, PLAN, "test", kind, failed)


def test_a_lake_without_runs_has_no_history(lake: Lake) -> None:
    assert (past_runs(lake), open_runs(lake), ends_by_run(lake), last_ends(lake)) == ([], [], [], {})


def test_a_run_stands_with_its_newest_status_and_those_that_began_last_come_first(lake: Lake) -> None:
    for run, open_run in (
        (record("one", Status.RUNNING), "one"),
        (record("two", Status.RUNNING, Kind.JOB), "two"),
        (record("one", Status.FAILED, failed=2), "two"),
        (record("two", Status.SUCCEEDED, Kind.JOB), ops.NONE_OPEN),
    ):
        record_runs(lake.catalog, [run], open_run=open_run)
    found = past_runs(lake)
    assert [past.record for past in found] == [
        record("two", Status.SUCCEEDED, Kind.JOB),
        record("one", Status.FAILED, failed=2),
    ]
    assert found[0].began_at > found[1].began_at
    assert abs(datetime.now(UTC) - found[0].began_at) < timedelta(minutes=10)


def test_the_run_that_began_and_did_not_end_is_open_until_it_is_closed(lake: Lake) -> None:
    record_runs(lake.catalog, [record("one", Status.RUNNING)], open_run="one")
    assert [past.record for past in open_runs(lake)] == [record("one", Status.RUNNING)]
    record_runs(lake.catalog, [record("one", Status.DIED)])
    assert open_runs(lake) == []


def test_a_table_stands_in_a_run_as_its_last_attempt_left_it(lake: Lake) -> None:
    def ended(table: str, status: Status, minute: int) -> TableRun:
        return TableRun(table=table, status=status, started_at=AT + timedelta(minutes=minute))

    record_tables(lake.catalog, "one", [ended("raw.a", Status.FAILED, 1), ended("silver.a", Status.SKIPPED, 1)])
    record_tables(lake.catalog, "one", [ended("raw.a", Status.SUCCEEDED, 5)])
    record_tables(lake.catalog, "two", [ended("raw.a", Status.UNCHANGED, 3)])
    found = {(end.run_id, end.table): (end.status, end.started_at) for end in ends_by_run(lake)}
    assert found == {
        ("one", raw("a")): (Status.SUCCEEDED, AT + timedelta(minutes=5)),
        ("one", silver("a")): (Status.SKIPPED, AT + timedelta(minutes=1)),
        ("two", raw("a")): (Status.UNCHANGED, AT + timedelta(minutes=3)),
    }
    assert {end.run_id for end in ends_by_run(lake, "two")} == {"two"}
    assert {table: end.run_id for table, end in last_ends(lake).items()} == {raw("a"): "one", silver("a"): "one"}


def test_what_many_runs_left_is_written_together_and_the_open_run_is_still_known(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lakehouse.iceberg.compact._MANY", 4)
    for number in range(6):
        record_runs(lake.catalog, [record(f"run {number}", Status.RUNNING)], open_run=f"run {number}")
    assert len(lake.catalog.get(ops.RUNS).data_file_paths()) == 3
    assert sorted(past.record.run_id for past in past_runs(lake)) == [f"run {number}" for number in range(6)]
    assert [found.record.run_id for found in open_runs(lake)] == ["run 5"]
