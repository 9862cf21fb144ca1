"""The orchestrator and its child processes: what it makes of those that say little, nothing, or too much."""

import json
import shlex
import stat
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from lakehouse.errors import ExitCode
from lakehouse.orchestrate import pipeline
from lakehouse.orchestrate.events import Event, Failed, RunFinished
from lakehouse.orchestrate.launch import Application
from lakehouse.orchestrate.pipeline import Outcome
from lakehouse.orchestrate.runs import DayRange, Plan, Status
from lakehouse.orchestrate.summary import progress_line
from lakehouse.orchestrate.work import Work
from lakehouse.registry import loader
from lakehouse.registry.loader import Registry
from lakehouse.settings import Profile
from tests.conftest import ROOT

Children = Callable[[Work], str]


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """Two source tables with a mart each."""
    folder = tmp_path / "registry" / "domain"
    folder.mkdir(parents=True)
    for name in ("a", "b"):
        (folder / f"{name}.yml").write_text(f"source: {{connection: app, relation: public.{name}}}\n")
        (folder / f"mart_{name}.sql").write_text(f"SELECT * FROM silver.{name}")
    return loader.load(folder.parent)


class Started:
    """A pipeline whose applications are shell commands."""

    def __init__(self, profile: Profile, registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
        self.profile, self.registry = profile, registry
        self.works: list[Work] = []
        self.little: list[bool] = []
        self.events: list[Event] = []
        self._patch = monkeypatch

    def run(self, child: Children, *, isolate: bool = False, verbose: bool = False, **options: Any) -> Outcome:
        def application(_profile: Profile, _job: str, arguments: Sequence[str], *, little: bool) -> Application:
            self.little.append(little)
            work = Work.model_validate_json(arguments[-1])
            self.works.append(work)
            return Application(["/bin/sh", "-c", child(work)])

        self._patch.setattr(pipeline, "application", application)
        planned = {name: options.pop(name) for name in ("full_refresh", "window") if name in options}
        plan = Plan(tables=tuple(target.dotted for target in self.registry.targets()), **planned)
        work = Work(run_id="r1", plan=plan, **options)
        return pipeline.run(work, self.profile, self.registry, self.events.append, isolate=isolate, verbose=verbose)


@pytest.fixture
def started(tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Started:
    monkeypatch.delenv("LAKEHOUSE_HOME", raising=False)
    profile = Profile.model_validate(
        {"name": "test", "root": ROOT, "registry": registry.folder, "catalog": {}, "pseudonym_key": "swordfish",
         "analytics": tmp_path / "home" / "analytics.duckdb", "lock": {"type": "file", "path": tmp_path / "run.lock"}}
    )  # fmt: skip
    return Started(profile, registry, monkeypatch)


def say(*events: dict[str, Any]) -> str:
    return "; ".join(f"echo {shlex.quote(json.dumps(event))}" for event in events)


def begins(work: Work) -> dict[str, Any]:
    return {"event": "run_started", "run_id": work.run_id, "tables": list(work.tables)}


def finishes(work: Work, status: str = "succeeded") -> dict[str, Any]:
    return {"event": "run_finished", "run_id": work.run_id, "status": status}


def made(*tables: str) -> list[dict[str, Any]]:
    return [{"event": "table", "table": table, "status": "succeeded"} for table in tables]


def test_an_application_that_ends_without_a_word_about_its_tables_has_failed_them(started: Started) -> None:
    outcome = started.run(lambda work: f"{say(begins(work), *made('raw.a'))}; exit 1")
    assert {name.dotted for name in outcome.failed()} == set(started.works[0].tables) - {"raw.a"}
    assert outcome.code is ExitCode.SYSTEM_FAILURE  # 1 is also how Python ends by an exception
    message = next(event for event in started.events if isinstance(event, Failed))
    assert "ended with code 1 before it was done" in message.message
    assert message.log == str(outcome.log)


@pytest.mark.parametrize("code", [2, 3, 4])
def test_an_application_that_refuses_has_failed_its_tables_by_its_own_code(started: Started, code: int) -> None:
    error = {"event": "error", "message": "refused", "exit_code": code}
    outcome = started.run(lambda _: f"{say(error)}; exit {code}")
    assert {name.dotted for name in outcome.failed()} == set(started.works[0].tables)
    assert outcome.code is ExitCode(code)


def test_an_application_that_is_killed_is_told_of_with_its_signal(started: Started) -> None:
    outcome = started.run(lambda work: f"{say(begins(work))}; kill -9 $$")
    assert outcome.code is ExitCode.SYSTEM_FAILURE
    assert any("was killed by signal 9" in event.message for event in started.events if isinstance(event, Failed))


def test_isolated_applications_bear_the_whole_plan_and_the_first_opens_the_run(started: Started) -> None:
    outcome = started.run(
        lambda work: say(begins(work), *made(*work.tables), *([finishes(work)] if work.closes else [])), isolate=True
    )
    assert outcome.code is ExitCode.SUCCESS
    plan = tuple(target.dotted for target in started.registry.targets())
    assert {work.plan.tables for work in started.works} == {plan}
    assert sorted(work.tables for work in started.works) == sorted([(), *((table,) for table in plan)])
    assert [work.opens for work in started.works] == [True, *[False] * len(plan)]
    assert [work.closes for work in started.works] == [*[False] * len(plan), True]
    assert started.works[-1].failed == 0


def test_what_depends_on_a_silent_application_is_skipped_and_the_closing_one_is_told(started: Started) -> None:
    def child(work: Work) -> str:
        if work.tables == ("silver.a",):
            return "exit 1"
        return say(begins(work), *made(*work.tables), *([finishes(work, "failed")] if work.closes else []))

    outcome = started.run(child, isolate=True)
    assert {name.dotted for name in outcome.failed()} == {"silver.a", "gold.mart_a"}
    assert ("gold.mart_a",) not in [work.tables for work in started.works]
    closing = started.works[-1]
    assert closing.failed == 2
    assert {run.table: run.status for run in closing.unrecorded} == {
        "silver.a": Status.FAILED, "gold.mart_a": Status.SKIPPED}  # fmt: skip
    assert outcome.code is ExitCode.SYSTEM_FAILURE


def test_a_run_is_opened_by_the_first_application_that_comes_so_far(started: Started) -> None:
    def child(work: Work) -> str:
        if len(started.works) == 1:
            return "exit 3"
        return say(begins(work), *made(*work.tables), *([finishes(work)] if work.closes else []))

    started.run(child, isolate=True)
    assert [work.opens for work in started.works][:3] == [True, True, False]


def test_what_an_application_prints_goes_to_the_log_of_the_run_without_secrets(
    started: Started, capfd: pytest.CaptureFixture[str]
) -> None:
    row = "[CAST_INVALID_INPUT] The value 'canary' cannot be cast. SQLSTATE: 22018"
    noise = f"echo key swordfish; echo {shlex.quote(row)} >&2"
    outcome = started.run(lambda work: f"{noise}; {say(begins(work), *made(*work.tables), finishes(work, 'failed'))}")
    text = outcome.log.read_text()
    assert "key [secret]" in text
    assert "CAST_INVALID_INPUT" in text
    out = capfd.readouterr()
    for hidden in ("swordfish", "canary"):
        assert hidden not in f"{text}{out.out}{out.err}"
    assert out.out + out.err == ""
    assert outcome.log == started.profile.analytics.parent / "logs" / "r1.log"
    assert stat.S_IMODE(outcome.log.stat().st_mode) == 0o600
    assert isinstance(started.events[-1], RunFinished)
    assert started.events[-1].log == str(outcome.log)
    assert str(outcome.log) in progress_line(started.events[-1])


def test_a_run_that_succeeds_does_not_point_to_its_log(started: Started) -> None:
    started.run(lambda work: say(begins(work), *made(*work.tables), finishes(work)))
    assert isinstance(started.events[-1], RunFinished)
    assert started.events[-1].log is None


def test_with_verbose_what_is_printed_is_shown_too(started: Started, capfd: pytest.CaptureFixture[str]) -> None:
    started.run(lambda work: f"echo a warning; {say(begins(work), *made(*work.tables), finishes(work))}", verbose=True)
    assert "a warning" in capfd.readouterr().err


def test_a_resumed_run_expects_just_the_tables_that_its_application_says(started: Started) -> None:
    def child(work: Work) -> str:
        table = {"event": "table", "table": "raw.a", "status": "succeeded", "started_at": "2026-01-01T00:00:00Z"}
        first = {"event": "run_started", "run_id": "r0", "tables": ["raw.a"]}
        return say(first, table, {"event": "run_finished", "run_id": "r0", "status": "succeeded", "failed": 0})

    outcome = started.run(child, resume=True)
    assert (outcome.code, set(outcome.tables), outcome.silent) == (ExitCode.SUCCESS, {"raw.a"}, [])


def test_a_run_brings_little_to_a_lake_that_was_published_unless_it_is_asked_for_more(started: Started) -> None:
    started.run(lambda _: "exit 0")
    started.profile.analytics.parent.mkdir(parents=True, exist_ok=True)
    started.profile.analytics.touch()
    started.run(lambda _: "exit 0")
    started.run(lambda _: "exit 0", full_refresh=True)
    started.run(lambda _: "exit 0", window=DayRange(start=date(2026, 1, 1), end=date(2026, 1, 2)))
    assert started.little == [False, True, False, False]
