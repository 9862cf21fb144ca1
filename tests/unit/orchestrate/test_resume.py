"""Which run ``--resume`` goes on with, by what is known of earlier ones."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from lakehouse.errors import ConfigurationError
from lakehouse.iceberg.lake import Lake
from lakehouse.orchestrate import resume
from lakehouse.orchestrate.history import PastRun, TableEnd
from lakehouse.orchestrate.ops import RunRecord
from lakehouse.orchestrate.resume import Resumed, to_resume
from lakehouse.orchestrate.runs import DayRange, Kind, Plan, Status
from lakehouse.paths import TableName
from lakehouse.registry import loader
from lakehouse.registry.loader import Registry

DAY_ONE = DayRange(start=date(2026, 1, 1), end=date(2026, 1, 1))
GOOD, BAD = Status.SUCCEEDED, Status.FAILED
TABLES = ("raw.a", "silver.a")


class Past:
    """Earlier runs, told in the order in which they began."""

    def __init__(self, registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
        self.registry = registry
        self.runs: list[PastRun] = []
        self.ends: list[TableEnd] = []
        monkeypatch.setattr(resume, "past_runs", lambda _lake: self.runs[::-1])
        monkeypatch.setattr(resume, "ends_by_run", lambda _lake: self.ends)

    def run(
        self, status: Status, *, kind: Kind = Kind.PIPELINE, ends: dict[str, Status] | None = None, **plan: Any
    ) -> str:
        """A run and how each of its tables ended; by default all as the run did."""
        began = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=len(self.runs))
        run_id = f"run-{len(self.runs) + 1}"
        wanted = Plan(**{"tables": TABLES, **plan})
        self.runs.append(PastRun(RunRecord(run_id, status, wanted.model_dump_json(), "test", kind), began, began))
        told = dict.fromkeys(wanted.tables, status) if ends is None else ends
        self.ends += [TableEnd(TableName.parse(table), run_id, end, began) for table, end in told.items()]
        return run_id

    def resumed(self) -> Resumed | None:
        return to_resume(cast(Lake, None), self.registry)

    def resumed_id(self) -> str | None:
        found = self.resumed()
        return None if found is None else found.run_id


@pytest.fixture
def past(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Past:
    folder = tmp_path / "registry" / "domain"
    folder.mkdir(parents=True)
    (folder / "a.yml").write_text("source: {connection: app, relation: public.a}\n")
    return Past(loader.load(folder.parent), monkeypatch)


def test_without_a_run_or_with_good_ones_there_is_none(past: Past) -> None:
    assert past.resumed() is None
    past.run(GOOD)
    past.run(Status.UNCHANGED)
    assert past.resumed() is None


@pytest.mark.parametrize("status", [Status.FAILED, Status.DIED])
def test_a_run_that_failed_or_died_is_resumed_with_its_plan_and_told_by_when_it_began(
    past: Past, status: Status
) -> None:
    failed = past.run(status, ends={"raw.a": GOOD, "silver.a": BAD}, accept_deletes=("a",))
    found = past.resumed()
    assert found is not None
    assert (found.run_id, found.plan) == (failed, Plan(tables=TABLES, accept_deletes=("a",)))
    assert found.note == f"resumes run {failed} of 2026-01-01 00:00 UTC, which {status}"


def test_of_several_the_newest_is_resumed(past: Past) -> None:
    past.run(BAD)
    newest = past.run(BAD)
    assert past.resumed_id() == newest


def test_a_run_is_made_good_when_each_of_its_tables_ended_well_in_it_or_later(past: Past) -> None:
    past.run(BAD, ends={"raw.a": GOOD, "silver.a": BAD})
    past.run(GOOD, tables=("silver.a",))
    assert past.resumed() is None


def test_a_run_is_not_made_good_by_what_ended_well_before_it_or_only_in_part(past: Past) -> None:
    past.run(GOOD)
    failed = past.run(BAD, ends={"raw.a": BAD, "silver.a": BAD})
    past.run(GOOD, tables=("raw.a",))
    assert past.resumed_id() == failed


def test_a_single_job_is_never_resumed_but_what_it_made_counts(past: Past) -> None:
    past.run(BAD, kind=Kind.JOB)
    assert past.resumed() is None
    failed = past.run(BAD)
    past.run(GOOD, kind=Kind.JOB, tables=("raw.a",))
    assert past.resumed_id() == failed
    past.run(GOOD, kind=Kind.JOB, tables=("silver.a",))
    assert past.resumed() is None


def test_a_run_that_failed_at_publishing_is_made_good_by_a_pipeline_that_succeeds(past: Past) -> None:
    failed = past.run(BAD, ends=dict.fromkeys(TABLES, GOOD))
    assert past.resumed_id() == failed
    past.run(GOOD, kind=Kind.JOB)
    assert past.resumed_id() == failed
    past.run(GOOD, tables=("raw.a",))
    assert past.resumed() is None


@pytest.mark.parametrize(
    ("wanted", "done", "is_good"),
    [
        ({"full_refresh": True}, {}, False),
        ({"full_refresh": True}, {"window": DAY_ONE}, False),
        ({"full_refresh": True}, {"full_refresh": True}, True),
        ({"window": DAY_ONE}, {}, False),
        ({"window": DAY_ONE}, {"window": DayRange(start=date(2026, 1, 2), end=date(2026, 1, 2))}, False),
        ({"window": DAY_ONE}, {"window": DAY_ONE}, True),
        ({"window": DAY_ONE}, {"full_refresh": True}, True),
        ({}, {"full_refresh": True}, True),
        ({}, {"window": DAY_ONE}, False),
    ],
)
def test_a_refresh_or_a_replay_is_made_good_only_by_as_much(
    past: Past, wanted: dict[str, Any], done: dict[str, Any], is_good: bool
) -> None:
    failed = past.run(BAD, **wanted)
    past.run(GOOD, **done)
    assert past.resumed_id() == (None if is_good else failed)


def test_tables_that_the_registry_no_longer_makes_are_left_out_and_told(past: Past) -> None:
    past.run(BAD, tables=(*TABLES, "gold.old"))
    found = past.resumed()
    assert found is not None
    assert found.plan.tables == TABLES
    assert found.note.endswith("; left out, since the registry no longer makes them: gold.old")


def test_a_run_of_which_the_registry_makes_nothing_any_more_is_not_resumed(past: Past) -> None:
    past.run(BAD, tables=("gold.old",))
    assert past.resumed() is None


def test_a_plan_of_another_version_is_refused_with_what_to_do(past: Past) -> None:
    run = past.run(BAD)
    plan = '{"tables": ["raw.a"], "selected": "some"}'
    began = past.runs[-1].began_at
    past.runs[-1] = PastRun(RunRecord(run, BAD, plan, "test"), began, began)
    with pytest.raises(ConfigurationError, match=f"reading the plan of run {run} from ops.runs: it was recorded by"):
        past.resumed()
