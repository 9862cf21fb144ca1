"""The master orchestrator: plans a run from the registry, starts Spark applications, and follows what they report.

It decides and starts; it never touches a row.
"""

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lakehouse.errors import ExitCode
from lakehouse.logs import Redaction
from lakehouse.orchestrate import lock
from lakehouse.orchestrate.child import Log, follow
from lakehouse.orchestrate.events import Event, Failed, RunFinished, RunStarted
from lakehouse.orchestrate.graph import Graph
from lakehouse.orchestrate.launch import application, spark_home
from lakehouse.orchestrate.runs import Status, TableRun, worst
from lakehouse.orchestrate.work import Work
from lakehouse.paths import Layer, TableName
from lakehouse.registry.loader import Registry
from lakehouse.settings import Environment, Profile

Report = Callable[[Event], None]


@dataclass
class Outcome:
    """What a run came to.

    Attributes:
        tables: the end of each table, by ``layer.table``.
        silent: those of which no application told.
        log: the file with what the applications printed; there when they printed anything.
        published: whether the analysts' file shows what gold holds now.
    """

    log: Path
    tables: dict[str, TableRun] = field(default_factory=dict)
    silent: list[TableRun] = field(default_factory=list)
    codes: list[ExitCode] = field(default_factory=list)
    opened: bool = False
    published: bool = False

    @property
    def code(self) -> ExitCode:
        """The worst of the applications' and the tables' exit codes."""
        return worst([*self.codes, *(ExitCode(run.exit_code) for run in self.tables.values())])

    def failed(self) -> set[TableName]:
        """The tables that failed or were skipped."""
        return {run.name for run in self.tables.values() if not run.status.is_good}

    def tell(self, run: TableRun, report: Report) -> None:
        """Note the end of a table that no application tells of."""
        self.tables[run.table] = run
        self.silent.append(run)
        report(run)


def run(
    work: Work, profile: Profile, registry: Registry, report: Report, *, isolate: bool, verbose: bool = False
) -> Outcome:
    """Run ``work``; ``report`` gets each event as it comes.

    Args:
        isolate: give each table an application of its own; a run that is resumed has one.
        verbose: show what the applications print besides events, on standard error.

    Raises:
        AlreadyRunningError: another run is under way; nothing was started.
        SystemFailureError: an application could not be started.
    """
    log = Log(log_path(profile, work.run_id), Redaction(profile.secrets()), verbose=verbose)
    outcome = Outcome(log.path)
    with lock.held(profile.lock, "run"):
        parts = _isolated(work, registry, outcome, report) if isolate and not work.resume else iter([work])
        for part in parts:
            _application(part, profile, log, outcome, report)
    return outcome


def log_path(profile: Profile, run_id: str) -> Path:
    """Where what the applications of a run print is kept."""
    home = Environment().home or profile.analytics.parent
    return home.resolve() / "logs" / f"{run_id}.log"


def _isolated(work: Work, registry: Registry, outcome: Outcome, report: Report) -> Iterator[Work]:
    """An application for each table, inputs first, and one that closes the run.

    The run is opened by the first application that comes so far.
    """
    graph = Graph(registry, work.plan.targets())
    while graph.is_active():
        start, skipped = graph.ready()
        for table in skipped:
            outcome.tell(table, report)
        for target in start:
            yield work.model_copy(update={"share": (target.dotted,), "opens": not outcome.opened, "closes": False})
            graph.ended(target, good=target not in outcome.failed())
    yield work.model_copy(
        update={
            "share": (),
            "opens": not outcome.opened,
            "unrecorded": tuple(outcome.silent),
            "failed": len(outcome.failed()),
            "failed_learnt": sum(map(registry.is_learnt, outcome.failed())),
        }
    )


def _application(work: Work, profile: Profile, log: Log, outcome: Outcome, report: Report) -> None:
    """Run one application, and see that each table of its share has an end: of which it tells nothing, it has failed."""
    arguments = ["--profile", profile.name, "--work", work.as_json()]
    started = application(profile, "run_plan.py", arguments, little=_is_little(work, profile))
    share: set[str] = set() if work.resume else set(work.tables)
    said = False

    def take(event: Event) -> None:
        nonlocal said
        match event:
            case RunStarted():
                share.update(event.tables)  # of a run that is resumed only the application knows them
                outcome.opened = True
            case TableRun():
                outcome.tables[event.table] = event
            case RunFinished():
                said = True
                outcome.published = event.published
                if event.status is Status.FAILED:
                    event = event.model_copy(update={"log": str(outcome.log)})
            case Failed():
                said = True
                event = event.model_copy(update={"log": str(outcome.log)})
        report(event)

    code = follow(started.command, _environment(profile), log, take)
    silent = sorted(share - set(outcome.tables))
    died = code not in set(ExitCode) or (bool(silent or work.closes) and not said)
    if died:
        ended = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        message = (
            f"the Spark application of run {work.run_id} {ended} before it was done; expected it to say what became of "
            "each table. What it committed stays. See its log; then run again with --resume."
        )
        report(Failed(message=message, log=str(outcome.log)))
    outcome.codes.append(ExitCode.SYSTEM_FAILURE if died else ExitCode(code))
    for table in silent:
        error = f"its application ended with code {code} without telling what became of it"
        exit_code = int(outcome.codes[-1] or ExitCode.SYSTEM_FAILURE)
        outcome.tell(TableRun(table=table, status=Status.FAILED, error=error, exit_code=exit_code), report)
    if not died:
        started.keep_archive(complete=any(map(_is_computed, outcome.tables.values())))


def _is_computed(ended: TableRun) -> bool:
    """Whether Spark made the table; what is loaded, or found unchanged, needs few of its classes."""
    return ended.status is Status.SUCCEEDED and ended.name.layer is not Layer.RAW


def _is_little(work: Work, profile: Profile) -> bool:
    """Whether ``work`` goes on from a lake that was published before: it brings what changed since."""
    return profile.analytics.exists() and not work.plan.full_refresh and work.plan.window is None


#: So long Arrow keeps memory that it is done with. Given back at once (10 ms), it is cleared and given anew for each file.
_KEPT_MS = "1000"


def _environment(profile: Profile) -> dict[str, str]:
    return os.environ | {
        "PYSPARK_PYTHON": os.environ.get("PYSPARK_PYTHON", sys.executable),
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "LAKEHOUSE_ROOT": str(profile.root),
        "SPARK_HOME": os.environ.get("SPARK_HOME", str(spark_home())),  # else a Python is started to find it
        "PYTHONUNBUFFERED": "1",
        "MIMALLOC_PURGE_DELAY": os.environ.get("MIMALLOC_PURGE_DELAY", _KEPT_MS),
    }
