"""The master orchestrator: plans a run from the registry, starts Spark applications, and follows what they report.

It decides and starts; it never touches a row.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from lakehouse.errors import ExitCode, SystemFailureError
from lakehouse.orchestrate import lock
from lakehouse.orchestrate.application import Work
from lakehouse.orchestrate.launch import application
from lakehouse.orchestrate.plan import blocked_by, waves
from lakehouse.orchestrate.runs import Status
from lakehouse.paths import TableName
from lakehouse.registry.loader import Registry
from lakehouse.settings import Profile

Event = dict[str, Any]


@dataclass
class Outcome:
    """What a run came to: an event for each table, by ``layer.table``, and the worst exit code."""

    tables: dict[str, Event] = field(default_factory=dict)
    codes: list[ExitCode] = field(default_factory=list)

    @property
    def code(self) -> ExitCode:
        order = (ExitCode.ALREADY_RUNNING, ExitCode.SYSTEM_FAILURE, ExitCode.CONFIGURATION, ExitCode.DATA_FAILURE)
        return next((code for code in order if code in self.codes), ExitCode.SUCCESS)

    def failed(self) -> set[TableName]:
        return {
            TableName.parse(name)
            for name, event in self.tables.items()
            if event["status"] in (Status.FAILED, Status.SKIPPED)
        }


def run(work: Work, profile: Profile, registry: Registry, report: Callable[[Event], None], *, isolate: bool) -> Outcome:
    """Run ``work``; ``report`` gets each event as it comes.

    Args:
        isolate: give each table an application of its own.

    Raises:
        AlreadyRunningError: another run is under way; nothing was started.
        SystemFailureError: an application could not be started, or ended without a word.
    """
    outcome = Outcome()
    with lock.held(profile.lock, "run"):
        if not isolate or work.resume:
            _application(work, profile, outcome, report)
            return outcome
        for part in _isolated(work, registry, outcome, report):
            _application(part, profile, outcome, report)
    return outcome


def _isolated(work: Work, registry: Registry, outcome: Outcome, report: Callable[[Event], None]) -> Iterator[Work]:
    """An application for each table, inputs first, and one that closes the run."""
    first = True
    for wave in waves(registry, [TableName.parse(table) for table in work.tables]):
        for target in wave:
            cause = blocked_by(registry, target, outcome.failed())
            if cause is not None:
                event = {
                    "event": "table",
                    "table": target.dotted,
                    "status": str(Status.SKIPPED),
                    "error": f"{cause.dotted} failed",
                }
                outcome.tables[target.dotted] = event
                report(event)
                continue
            yield work.model_copy(update={"tables": (target.dotted,), "begin": first, "finish": False})
            first = False
    yield work.model_copy(update={"tables": (), "begin": False, "finish": True, "failed": len(outcome.failed())})


def _application(work: Work, profile: Profile, outcome: Outcome, report: Callable[[Event], None]) -> None:
    started = application(profile, "run_plan.py", ["--profile", profile.name, "--work", work.model_dump_json()])
    process = subprocess.Popen(
        started.command, stdout=subprocess.PIPE, text=True, start_new_session=True, env=_environment(profile)
    )
    finished = False
    with _ended_with(process):
        assert process.stdout is not None
        for line in process.stdout:
            event = _parsed(line)
            if event is None:
                sys.stderr.write(line)  # logs and tracebacks: spark-submit sends a Python job's two streams to one
                continue
            finished = finished or event["event"] in {"run_finished", "error"} or not work.finish
            if event["event"] == "table":
                outcome.tables[event["table"]] = event
            report(event)
        code = process.wait()
    if not finished or code not in set(ExitCode):
        raise SystemFailureError(
            f"the Spark application of run {work.run_id} ended with code {code} before it was done; expected it to say "
            "what became of each table. What it committed stays.",
            remedy="See its log above; then run again with --resume.",
        )
    outcome.codes.append(ExitCode(code))
    started.keep_archive()


def _environment(profile: Profile) -> dict[str, str]:
    return os.environ | {
        "PYSPARK_PYTHON": os.environ.get("PYSPARK_PYTHON", sys.executable),
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "LAKEHOUSE_ROOT": str(profile.root),
        "PYTHONUNBUFFERED": "1",
    }


class _ended_with:  # noqa: N801  (reads as a sentence)
    """Ends the application and its children when the orchestrator is interrupted or ended."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def __enter__(self) -> None:
        self._before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGTERM, self._before)
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
            self._process.wait()


def _parsed(line: str) -> Event | None:
    """The event in a line of an application's output; ``None`` for what others print."""
    if not line.startswith("{"):
        return None
    try:
        event = json.loads(line)
    except json.JSONDecodeError:
        return None
    return event if isinstance(event, dict) and "event" in event else None
