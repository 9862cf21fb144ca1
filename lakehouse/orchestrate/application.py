"""A Spark application of the lakehouse: what every job in ``jobs/`` runs."""

import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from types import FrameType

import structlog

from lakehouse import logs
from lakehouse.errors import ConfigurationError, ExitCode
from lakehouse.iceberg.catalog import Catalog
from lakehouse.iceberg.lake import Lake
from lakehouse.iceberg.reported import reported
from lakehouse.orchestrate import execute, lock
from lakehouse.orchestrate.boundary import Failure, guarded
from lakehouse.orchestrate.context import Context
from lakehouse.orchestrate.events import Failed, RunFinished, RunStarted, TableStarted, emit
from lakehouse.orchestrate.ops import RunRecord, record_runs, record_tables
from lakehouse.orchestrate.publishing import Publication, publish
from lakehouse.orchestrate.recorder import Recorder
from lakehouse.orchestrate.resume import close_died, to_resume
from lakehouse.orchestrate.runs import Kind, Status, TableRun, exit_code, worst
from lakehouse.orchestrate.work import Work
from lakehouse.paths import Layer, TableName
from lakehouse.raw.gather import collect_rarely
from lakehouse.registry import loader
from lakehouse.registry.loader import Registry
from lakehouse.settings import Profile, load_profile
from lakehouse.spark import Sessions, jvm

log = structlog.get_logger()


def main(work: Work, profile_name: str | None, *, json_lines: bool = True) -> int:
    """Run ``work`` and return its exit code; what became of each table goes to standard output as JSON lines.

    When it is interrupted, what is known is recorded and the process ends at once: tables that are under way are not
    waited for, and commit nothing.
    """
    collect_rarely()
    redaction = logs.Redaction()
    logs.configure(redaction, json_lines=json_lines)
    profile = guarded(lambda: load_profile(profile_name), "reading the profile")
    if isinstance(profile, Failure):
        return _refused(profile, redaction)
    redaction = logs.Redaction(profile.secrets())
    logs.configure(redaction, json_lines=json_lines)
    try:
        with _interruptible():
            code = guarded(partial(_main, work, profile, redaction), f"running the application of run {work.run_id}")
    except (KeyboardInterrupt, SystemExit):
        message = f"run {work.run_id} was interrupted; what ended is recorded. Go on with it by --resume."
        emit(Failed(message=message))
        sys.stderr.flush()
        os._exit(int(ExitCode.SYSTEM_FAILURE))  # threads that wait for Spark or a source would keep the process
    return _refused(code, redaction) if isinstance(code, Failure) else int(code)


def _refused(failure: Failure, redaction: logs.Redaction) -> int:
    message = redaction.text(str(failure.error))
    emit(Failed(message=message, exit_code=int(failure.error.exit_code)))
    print(message, file=sys.stderr)
    return int(failure.error.exit_code)


def _main(work: Work, profile: Profile, redaction: logs.Redaction) -> ExitCode:
    registry = loader.load(profile.registry)
    _check(work, registry, profile)
    with ExitStack() as locks:
        if work.kind is Kind.JOB:  # so that no pipeline run is under way, between two of its applications either
            locks.enter_context(lock.held(profile.lock, "run"))
        locks.enter_context(lock.held(profile.lock, "write"))
        java = jvm()
        sessions = Sessions.of_profile(java, profile, f"lakehouse {work.run_id}")
        computes = any(target.layer is not Layer.RAW for target in work.targets()) or work.resume
        lake = Lake(sessions, Catalog.of_profile(java, profile), computes=computes)
        return run(work, profile, registry, lake, redaction)


def run(work: Work, profile: Profile, registry: Registry, lake: Lake, redaction: logs.Redaction) -> ExitCode:
    """Do ``work`` in a lake whose locks the caller holds."""
    try:
        return _run(work, profile, registry, lake, redaction)
    finally:
        if (cause := lake.sessions.failure) is not None:
            _tell_why(cause, redaction)


def _tell_why(cause: BaseException, redaction: logs.Redaction) -> None:
    """Tell why Spark did not start, once for all tables that miss it."""

    def again() -> None:
        with reported("starting Spark"):
            raise cause

    log.error("Spark did not start", exc_info=cause)
    failure = guarded(again, "starting Spark")
    if isinstance(failure, Failure):
        emit(Failed(message=redaction.text(str(failure.error))))


def _run(work: Work, profile: Profile, registry: Registry, lake: Lake, redaction: logs.Redaction) -> ExitCode:
    notes = [f"run {run_id} died; it is closed" for run_id in (close_died(lake) if work.opens else [])]
    if work.resume:
        resumed = to_resume(lake, registry)
        if resumed is None:
            note = "; ".join(
                [*notes, "there is nothing to resume: every run succeeded, or was made good by a later one"]
            )
            emit(RunFinished(run_id=work.run_id, status=Status.UNCHANGED, note=note))
            return ExitCode.SUCCESS
        accepted = {*resumed.plan.accept_deletes, *work.plan.accept_deletes}  # what the brake asked since
        plan = resumed.plan.model_copy(update={"accept_deletes": tuple(sorted(accepted))})
        work = work.model_copy(update={"run_id": resumed.run_id, "plan": plan})
        notes.append(resumed.note)
    if work.opens:
        _record(work, Status.RUNNING, 0, profile, lake)
    emit(RunStarted(run_id=work.run_id, tables=work.tables, process=os.getpid(), note="; ".join(notes)))
    results = _make(work, profile, registry, lake, redaction)
    code = exit_code(results)
    return worst([code, _close(work, results, profile, registry, lake, redaction)]) if work.closes else code


def _make(
    work: Work, profile: Profile, registry: Registry, lake: Lake, redaction: logs.Redaction
) -> Sequence[TableRun]:
    """Make the tables of ``work``; each one's end is told at once, and recorded soon after."""
    with Recorder(partial(record_tables, lake.catalog, work.run_id)) as recorder:
        for told in work.unrecorded:
            recorder.add(told)

        def report(ended: TableRun) -> None:
            recorder.add(ended)
            emit(ended)

        context = Context(
            profile,
            registry,
            lake,
            work.request(),
            datetime.now(UTC),
            redaction,
            report,
            work.resume,
            lambda table, attempt: emit(TableStarted(table=table.dotted, attempt=attempt)),
        )
        return execute.run(work.targets(), context)


def _close(
    work: Work,
    results: Sequence[TableRun],
    profile: Profile,
    registry: Registry,
    lake: Lake,
    redaction: logs.Redaction,
) -> ExitCode:
    """Publish after a pipeline run in which nothing failed, models aside: their last scores stay; record the run's end."""
    bad = [ended.name for ended in results if not ended.status.is_good]
    failed = work.failed + len(bad)
    learnt = work.failed_learnt + sum(map(registry.is_learnt, bad))
    code, publication = ExitCode.SUCCESS, Publication(False)
    if failed == learnt and work.kind is Kind.PIPELINE:
        made = {target for target in work.plan.targets() if target.layer is Layer.GOLD}
        found = guarded(lambda: publish(registry, lake, profile, made), "publishing gold")
        if isinstance(found, Failure):
            code = found.error.exit_code
            publication = Publication(False, redaction.text(str(found.error)))
        else:
            publication = found
    status = Status.FAILED if failed or code else Status.SUCCEEDED
    _record(work, status, failed, profile, lake)
    emit(
        RunFinished(
            run_id=work.run_id,
            status=status,
            failed=failed,
            published=publication.published,
            note=publication.note,
        )
    )
    return code


def _record(work: Work, status: Status, failed: int, profile: Profile, lake: Lake) -> None:
    record = RunRecord(work.run_id, status, work.plan.model_dump_json(), profile.name, work.kind, failed)
    if status is Status.RUNNING:
        record_runs(lake.catalog, [record], open_run=work.run_id)
    else:
        record_runs(lake.catalog, [record])


def _check(work: Work, registry: Registry, profile: Profile) -> None:
    """Stop before Spark starts when a table is not in the registry or its source not in the profile."""
    known = {target.dotted for target in registry.targets()}
    for table in work.tables:
        if table not in known:
            raise ConfigurationError(
                f"the registry {registry.folder} makes no table {table!r}.",
                remedy=f"It makes: {', '.join(sorted(known))}.",
            )
        name = TableName.parse(table)
        if name.layer is Layer.RAW:
            profile.source(registry.tables[name.table].source.connection)


@contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM is an interruption, as Ctrl-C is; only a process's main thread can be told."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, _frame: FrameType | None) -> None:
        sys.exit(128 + number)

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
