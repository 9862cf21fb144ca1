"""A run as a whole: what it leaves in ``ops``, what it publishes, and how the next run takes it up."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import duckdb
import pytest
from pyspark.sql import SparkSession

from lakehouse.errors import ExitCode
from lakehouse.iceberg.lake import Lake
from lakehouse.orchestrate import execute, history
from lakehouse.orchestrate.context import Context
from lakehouse.orchestrate.runs import DayRange, Kind, Plan, Status, TableRun
from lakehouse.orchestrate.work import Work
from lakehouse.spark import Sessions
from tests.unit.orchestrate.marts import CANARY, Marts, ends, events

BROKEN = "SELECT CAST(name AS INT) AS number FROM {people}"
COUNT = "SELECT count(*) AS people FROM {people}"
COUNT_AGAIN = "SELECT count(*) + 100 AS people FROM {people}"


def shown(marts: Marts, mart: str) -> list[tuple[object, ...]] | None:
    """What analysts see of a mart; ``None`` where nothing was published."""
    if not marts.profile.analytics.exists():
        return None
    with duckdb.connect(str(marts.profile.analytics), read_only=True) as connection:
        return connection.execute(f"SELECT * FROM {marts.name(mart)}").fetchall()


def test_a_full_run_that_succeeds_publishes_without_asking_what_runs_before_did(
    marts: Marts, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = marts.sql("one", COUNT)
    assert marts.run(one, run_id=marts.name("r1")) is ExitCode.SUCCESS
    for question in ("past_runs", "ends_by_run"):
        monkeypatch.setattr(history, question, lambda *_: pytest.fail("an ordinary run asks nothing of ops"))
    assert marts.run(one, run_id=marts.name("r2")) is ExitCode.SUCCESS
    assert shown(marts, "one") == [(2,)]
    told = events(capsys)
    assert [event["event"] for event in told] == ["run_started", "table_started", "table", "run_finished"] * 2
    assert told[-1]["published"] is True
    assert marts.status(marts.name("r1")) == ["running", "succeeded"]
    assert marts.told() == {"gold.one": ("unchanged", None)}


def test_a_row_that_breaks_a_mart_ends_the_run_with_1_and_its_value_is_not_in_ops(
    marts: Marts, capfd: pytest.CaptureFixture[str]
) -> None:
    bad = marts.sql("bad", BROKEN)
    assert marts.run(bad, run_id=marts.name("r")) is ExitCode.DATA_FAILURE
    status, error = marts.told()["gold.bad"]
    assert status == "failed"
    assert "CAST_INVALID_INPUT" in str(error)
    out = capfd.readouterr()
    assert CANARY not in f"{error}{out.out}{out.err}"
    assert shown(marts, "bad") is None


def test_a_partial_run_after_a_failed_one_publishes_no_head_of_the_failed_one(
    marts: Marts, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two, three = marts.sql("one", COUNT), marts.sql("two", COUNT), marts.sql("three", COUNT)
    assert marts.run(one, two, three) is ExitCode.SUCCESS
    marts.sql("one", COUNT_AGAIN)
    marts.sql("two", "SELECT CAST(max(name) AS BIGINT) AS people FROM {people}")
    failing = marts.name("failing")
    assert marts.run(one, two, three, run_id=failing) is ExitCode.DATA_FAILURE
    assert shown(marts, "one") == [(2,)]
    events(capsys)

    assert marts.run(three) is ExitCode.SUCCESS
    finished = events(capsys)[-1]
    assert (finished["status"], finished["published"]) == ("succeeded", False)
    assert f"{two} failed in run {failing}" in finished["note"]
    assert shown(marts, "one") == [(2,)]

    marts.sql("two", COUNT_AGAIN)
    assert marts.run(two, kind=Kind.JOB) is ExitCode.SUCCESS
    assert shown(marts, "two") == [(2,)], "jobs do not publish"
    assert marts.run(three) is ExitCode.SUCCESS
    assert shown(marts, "one") == shown(marts, "two") == [(102,)]


def test_a_mart_that_was_never_made_holds_nothing_back(marts: Marts) -> None:
    one = marts.sql("one", COUNT)
    marts.sql("never", COUNT)
    assert marts.run(one) is ExitCode.SUCCESS
    assert shown(marts, "one") == [(2,)]


def test_publishing_that_fails_is_the_runs_failure(marts: Marts, capsys: pytest.CaptureFixture[str]) -> None:
    one = marts.sql("one", COUNT)
    marts.profile.analytics.mkdir()  # nothing can take its place
    run_id = marts.name("r")
    assert marts.run(one, run_id=run_id) is ExitCode.SYSTEM_FAILURE
    assert marts.status(run_id) == ["running", "failed"]
    assert events(capsys)[-1]["status"] == "failed"
    marts.profile.analytics.rmdir()
    assert marts.run(resume=True) is ExitCode.SUCCESS
    assert marts.status(run_id)[-1] == "succeeded"
    assert shown(marts, "one") == [(2,)]


def _die(marts: Marts, monkeypatch: pytest.MonkeyPatch, work: Work, after: int) -> None:
    """Begin ``work`` as a process that is killed when so many tables ended."""

    def run(_targets: object, context: object) -> Sequence[TableRun]:
        for table in work.tables[:after]:
            context.report(TableRun(table=table, status=Status.SUCCEEDED))  # type: ignore[attr-defined]
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("lakehouse.orchestrate.execute.run", run)
        with pytest.raises(KeyboardInterrupt):
            marts.do(work)


def test_a_run_that_died_is_closed_by_the_next_one_with_each_table_that_it_lost(
    marts: Marts, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = marts.sql("one", COUNT), marts.sql("two", COUNT)
    died = marts.name("died")
    _die(marts, monkeypatch, Work(run_id=died, plan=Plan(tables=(one, two))), after=1)
    assert marts.status(died) == ["running"]
    assert marts.told(died) == {"gold.one": ("succeeded", None)}  # what was known was recorded

    assert marts.run(one, kind=Kind.JOB) is ExitCode.SUCCESS
    assert marts.status(died) == ["running", "died"]
    assert marts.told(died)["gold.two"][0] == "died"
    assert f"run {died} died" in next(event for event in events(capsys) if event.get("note"))["note"]
    assert marts.run(one, kind=Kind.JOB) is ExitCode.SUCCESS
    assert marts.status(died) == ["running", "died"]


def test_a_resumed_run_makes_what_it_did_not_commit_and_publishes(
    marts: Marts, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = marts.sql("one", COUNT), marts.sql("two", BROKEN)
    failing = marts.name("failing")
    assert marts.run(one, two, run_id=failing) is ExitCode.DATA_FAILURE
    marts.sql("two", COUNT)
    assert marts.run(one, kind=Kind.JOB, run_id=marts.name("job")) is ExitCode.SUCCESS  # never what is resumed
    events(capsys)

    assert marts.run(resume=True) is ExitCode.SUCCESS
    told = events(capsys)
    assert told[0]["run_id"] == failing
    assert told[0]["tables"] == [one, two]
    assert f"resumes run {failing}" in told[0]["note"]
    assert {name: run.status for name, run in ends(told).items()} == {one: Status.UNCHANGED, two: Status.SUCCEEDED}
    assert marts.status(failing) == ["running", "failed", "running", "succeeded"]
    assert shown(marts, "two") == [(2,)]


def test_what_the_brake_stopped_can_be_confirmed_when_the_run_is_resumed(
    marts: Marts, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = marts.sql("one", BROKEN)
    assert marts.run(one) is ExitCode.DATA_FAILURE
    asked: list[frozenset[str]] = []

    def run(_targets: object, context: Context) -> list[TableRun]:
        asked.append(context.request.accept_deletes)
        return []

    monkeypatch.setattr(execute, "run", run)
    marts.do(Work(resume=True, plan=Plan(accept_deletes=("people",))))
    assert asked == [frozenset({"people"})]


def test_a_resumed_run_that_died_publishes_nothing_by_what_it_told_before(
    marts: Marts, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two, other = marts.sql("one", COUNT), marts.sql("two", BROKEN), marts.sql("other", COUNT)
    assert marts.run(one, two, run_id=marts.name("failing")) is ExitCode.DATA_FAILURE
    marts.sql("two", COUNT)
    _die(marts, monkeypatch, Work(resume=True, plan=Plan(tables=(two,))), after=1)  # before it told of the other mart
    assert marts.run(other) is ExitCode.SUCCESS
    assert shown(marts, "other") is None
    assert marts.told(marts.name("failing"))["gold.one"][0] == "died"


def test_a_run_that_later_runs_made_good_is_not_resumed(marts: Marts, capsys: pytest.CaptureFixture[str]) -> None:
    one, two = marts.sql("one", COUNT), marts.sql("two", BROKEN)
    marts.run(one, two)
    marts.sql("two", COUNT)
    assert marts.run(two) is ExitCode.SUCCESS
    assert marts.run(resume=True) is ExitCode.SUCCESS
    finished = events(capsys)[-1]
    assert (finished["status"], "nothing to resume" in finished["note"]) == ("unchanged", True)


def test_of_two_runs_that_failed_the_newer_is_resumed_first_then_the_other(
    marts: Marts, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = marts.sql("one", BROKEN), marts.sql("two", BROKEN)
    first, second = marts.name("first"), marts.name("second")
    marts.run(one, run_id=first)
    marts.run(two, run_id=second)
    marts.sql("one", COUNT)
    marts.sql("two", COUNT)
    for expected in (second, first):
        events(capsys)
        assert marts.run(resume=True) is ExitCode.SUCCESS
        assert events(capsys)[0]["run_id"] == expected


def test_a_full_refresh_that_failed_is_not_made_good_by_an_ordinary_run(
    marts: Marts, capsys: pytest.CaptureFixture[str]
) -> None:
    one = marts.sql("one", BROKEN)
    refresh = marts.name("refresh")
    assert marts.do(Work(run_id=refresh, plan=Plan(tables=(one,), full_refresh=True))) is ExitCode.DATA_FAILURE
    marts.sql("one", COUNT)
    assert marts.run(one) is ExitCode.SUCCESS
    events(capsys)
    assert marts.run(resume=True) is ExitCode.SUCCESS
    assert events(capsys)[0]["run_id"] == refresh


def test_an_ordinary_run_that_failed_is_not_made_good_by_a_replay_of_days(
    marts: Marts, capsys: pytest.CaptureFixture[str]
) -> None:
    one = marts.sql("one", BROKEN)
    failed = marts.name("failed")
    assert marts.run(one, run_id=failed) is ExitCode.DATA_FAILURE
    marts.sql("one", COUNT)
    days = DayRange(start=date(2026, 1, 1), end=date(2026, 1, 2))
    assert marts.do(Work(plan=Plan(tables=(one,), window=days))) is ExitCode.SUCCESS
    events(capsys)
    assert marts.run(resume=True) is ExitCode.SUCCESS
    assert events(capsys)[0]["run_id"] == failed


def test_a_table_that_is_gone_from_the_registry_is_left_out_of_a_resumed_run(
    marts: Marts, capsys: pytest.CaptureFixture[str]
) -> None:
    one, gone = marts.sql("one", BROKEN), marts.sql("gone", BROKEN)
    marts.run(one, gone)
    marts.sql("one", COUNT)
    marts.drop("gone")
    events(capsys)
    assert marts.run(resume=True) is ExitCode.SUCCESS
    started = events(capsys)[0]
    assert started["tables"] == [one]
    assert f"left out, since the registry no longer makes them: {gone}" in started["note"]


def test_isolated_applications_record_the_whole_plan_and_resume_it(
    marts: Marts, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    one, two = marts.sql("one", COUNT), marts.sql("two", COUNT)
    run_id = marts.name("isolated")
    whole = Work(run_id=run_id, plan=Plan(tables=(one, two)))
    assert marts.do(whole.model_copy(update={"share": (one,), "closes": False})) is ExitCode.SUCCESS
    lost = TableRun(table=two, status=Status.FAILED, error="its application ended with code 1", exit_code=1)
    closing = whole.model_copy(update={"share": (), "opens": False, "unrecorded": (lost,), "failed": 1})
    assert marts.do(closing) is ExitCode.SUCCESS
    assert marts.status(run_id) == ["running", "failed"]
    assert marts.told(run_id) == {"gold.one": ("succeeded", None), "gold.two": ("failed", lost.error)}
    assert shown(marts, "one") is None

    events(capsys)
    assert marts.run(resume=True) is ExitCode.SUCCESS
    assert events(capsys)[0]["tables"] == [one, two]
    assert shown(marts, "two") == [(2,)]


def test_spark_that_does_not_start_is_told_once_and_fails_each_table_that_needs_it(
    marts: Marts, capsys: pytest.CaptureFixture[str]
) -> None:
    def start() -> SparkSession:
        raise RuntimeError("no such host: spark.example")

    one, two = marts.sql("one", COUNT), marts.sql("two", COUNT)
    lake = Lake(Sessions(start, is_local=True), marts.lake.catalog)
    run_id = marts.name("unstarted")
    assert marts.do(Work(run_id=run_id, plan=Plan(tables=(one, two))), lake) is ExitCode.SYSTEM_FAILURE
    told = events(capsys)
    assert [event["message"] for event in told if event["event"] == "error"] == [
        "starting Spark failed: RuntimeError: no such host: spark.example. The traceback is in the log of the run."
    ]
    assert {run.error for run in ends(told).values()} == {"Spark did not start; the error of the run says why."}
    assert marts.status(run_id) == ["running", "failed"]


def test_a_run_in_which_nothing_changed_starts_no_spark(marts: Marts, capsys: pytest.CaptureFixture[str]) -> None:
    one = marts.sql("one", COUNT)
    assert marts.run(one) is ExitCode.SUCCESS
    unstarted = Lake(Sessions(lambda: pytest.fail("it was started"), is_local=True), marts.lake.catalog)
    assert marts.do(Work(plan=Plan(tables=(f"silver.{marts.people}", one))), unstarted) is ExitCode.SUCCESS
    assert {run.status for run in ends(events(capsys)).values()} == {Status.UNCHANGED}
