"""What an application is asked to do: what of it travels, and how it comes back."""

import json
from datetime import UTC, date, datetime

import pytest
from pydantic import ValidationError

from lakehouse.orchestrate.runs import DayRange, Kind, Plan, Status, TableRun
from lakehouse.orchestrate.work import Work, new_run_id
from lakehouse.paths import gold, raw, silver
from lakehouse.raw.request import Request, Window

WEEK = DayRange(start=date(2026, 10, 25), end=date(2026, 10, 31))


def test_work_comes_back_from_its_json() -> None:
    run = TableRun(table="gold.a", status=Status.SKIPPED, error="silver.b failed")
    plan = Plan(tables=("raw.a", "gold.a"), window=WEEK, accept_deletes=("a",))
    work = Work(plan=plan, share=("raw.a",), closes=False, unrecorded=(run,), failed=1)
    assert Work.model_validate_json(work.as_json()) == work


def test_an_application_makes_its_share_of_the_plan() -> None:
    plan = Plan(tables=("raw.a", "silver.a"))
    assert Work(plan=plan).tables == plan.tables
    assert Work(plan=plan, share=("raw.a",)).tables == ("raw.a",)
    assert Work(plan=plan, share=()).tables == ()


def test_only_what_is_said_travels() -> None:
    content = json.loads(Work(run_id="r", kind=Kind.JOB, opens=False).as_json())
    assert content == {"run_id": "r", "kind": "job", "opens": False}


def test_a_part_that_this_version_does_not_know_is_refused_and_not_left_undone() -> None:
    with pytest.raises(ValidationError, match="publish_twice"):
        Work.model_validate_json('{"run_id": "r", "publish_twice": true}')


def test_its_tables_are_asked_for_as_the_whole_plan_says() -> None:
    plan = Plan(tables=("raw.a", "silver.a", "gold.b"), window=WEEK, accept_deletes=("a", "a"))
    work = Work(run_id="r", plan=plan, share=("silver.a",))
    days = Window(datetime(2026, 10, 25, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))
    assert work.request() == Request("r", False, days, frozenset({"a"}))
    assert work.targets() == [silver("a")]
    assert Work(plan=plan).targets() == [raw("a"), silver("a"), gold("b")]
    assert Work(run_id="r", plan=Plan(full_refresh=True)).request() == Request("r", True, None, frozenset())


def test_each_run_has_an_id_of_its_own_that_sorts_by_time() -> None:
    before = f"{datetime.now(UTC):%Y%m%dT%H%M%S}"
    ids = [new_run_id() for _ in range(100)]
    after = f"{datetime.now(UTC):%Y%m%dT%H%M%S}~"
    assert len(set(ids)) == 100
    assert all(before < one < after for one in ids)
    assert Work().run_id != Work().run_id
