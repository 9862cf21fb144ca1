"""Runs tables inside one Spark application: in waves, several at once, retrying what may pass."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from itertools import repeat

import structlog
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException

from lakehouse.errors import ExitCode, LakehouseError, SystemFailureError
from lakehouse.gold.rebuild import to_gold
from lakehouse.iceberg.lake import Lake
from lakehouse.iceberg.snapshots import RUN_PROPERTY
from lakehouse.logs import Redaction
from lakehouse.orchestrate.plan import blocked_by, waves
from lakehouse.orchestrate.runs import Status, TableRun
from lakehouse.paths import Layer, TableName
from lakehouse.raw.load import ingest, opened
from lakehouse.raw.request import Loaded, Request
from lakehouse.registry.loader import Registry
from lakehouse.settings import Profile
from lakehouse.silver.books import Transformed
from lakehouse.silver.current import to_silver
from lakehouse.silver.history import to_history

log = structlog.get_logger()

_ATTEMPTS = 4
_FIRST_WAIT_S = 1.0


@dataclass(frozen=True)
class Context:
    """What running a table needs.

    Attributes:
        report: called with what became of each table, as soon as it is known.
        redaction: takes secrets out of error texts.
        started_at: of the run (UTC).
        resumed: whether tables that this run committed before are left alone.
    """

    profile: Profile
    registry: Registry
    lake: Lake
    request: Request
    started_at: datetime
    redaction: Redaction
    report: Callable[[TableRun], None]
    resumed: bool = False


def run(targets: Sequence[TableName], context: Context) -> list[TableRun]:
    """Make ``targets``, inputs first. A table that fails stops those made from it, and no other."""
    done: list[TableRun] = []
    failed: set[TableName] = set()
    for wave in waves(context.registry, targets):
        ready = []
        for target in wave:
            cause = blocked_by(context.registry, target, failed)
            if cause is None:
                ready.append(target)
                continue
            skipped = TableRun(target.dotted, Status.SKIPPED, datetime.now(UTC), error=f"{cause.dotted} failed")
            context.report(skipped)
            done.append(skipped)
            failed.add(target)
        for finished in _wave(ready, context):
            done.append(finished)
            if finished.status is Status.FAILED:
                failed.add(TableName.parse(finished.table))
    return done


def _wave(targets: Sequence[TableName], context: Context) -> list[TableRun]:
    """Tables that do not need each other: those of one PostgreSQL source together, all others one by one."""
    groups: dict[str, list[TableName]] = {}
    for target in targets:
        shared = target.layer is Layer.RAW
        groups.setdefault(_connection(target, context) if shared else target.dotted, []).append(target)
    results: list[TableRun] = []
    with ThreadPoolExecutor(max_workers=min(8, len(groups)) or 1) as threads:
        for finished in threads.map(lambda group: _group(group, context), groups.values()):
            results.extend(finished)
    return results


def _group(targets: list[TableName], context: Context) -> list[TableRun]:
    """Run ``targets``, and again those whose failure may pass, with growing waits."""
    waiting, results, wait = list(targets), [], _FIRST_WAIT_S
    for attempt in range(1, _ATTEMPTS + 1):
        outcomes = _attempt(waiting, context)
        again = []
        for target, first in zip(waiting, outcomes, strict=True):
            outcome = replace(first, attempts=attempt)
            if outcome.status is Status.FAILED and outcome.retryable and attempt < _ATTEMPTS:
                again.append(target)
                log.warning(
                    "will be tried again", table=target.dotted, attempt=attempt, wait_s=wait, error=outcome.error
                )
                continue
            context.report(outcome)
            results.append(outcome)
        if not again:
            break
        waiting = again
        time.sleep(wait)
        wait *= 2
    return results


def _attempt(targets: Sequence[TableName], context: Context) -> list[TableRun]:
    first = targets[0]
    if first.layer is not Layer.RAW:
        return [_measured(target, context, partial(_alone, target, context)) for target in targets]
    name = _connection(first, context)
    source = context.profile.source(name)
    tables = [context.registry.tables[target.table] for target in targets]
    try:
        with opened(name, source, tables) as session, ThreadPoolExecutor(max_workers=session.parallelism) as threads:
            works = [partial(ingest, table, session, context.lake, context.request) for table in tables]
            return list(threads.map(_measured, targets, repeat(context), works))
    except LakehouseError as error:
        return [_failed(target, error, datetime.now(UTC), context) for target in targets]


def _alone(target: TableName, context: Context) -> Loaded | Transformed:
    request = context.request
    # a merge sets what its commit says in its session
    lake = replace(context.lake, spark=context.lake.spark.newSession())
    if target.layer is Layer.SILVER:
        key = context.profile.pseudonym_key
        make = to_history if context.registry.keeps_history(target) else to_silver
        return make(
            context.registry.source_of(target),
            lake,
            run_id=request.run_id,
            started_at=context.started_at,
            full_refresh=request.full_refresh,
            pseudonym_key=key.get_secret_value().encode() if key else None,
        )
    return to_gold(
        context.registry.transformers[target.table],
        lake,
        context.profile.parameters,
        run_id=request.run_id,
        window=request.window,
        full_refresh=request.full_refresh,
    )


def _measured(target: TableName, context: Context, work: Callable[[], Loaded | Transformed]) -> TableRun:
    started = datetime.now(UTC)
    begun = time.monotonic()
    try:
        if context.resumed and _committed(target, context):
            return TableRun(target.dotted, Status.UNCHANGED, started, notes=("committed before the run was resumed",))
        outcome = work()
    except LakehouseError as error:
        return replace(_failed(target, error, started, context), seconds=time.monotonic() - begun)
    except (PySparkException, Py4JJavaError) as error:
        log.error("Spark failed", table=target.dotted, exc_info=True)
        failure = SystemFailureError(f"making {target.dotted}: Spark failed: {' '.join(str(error).split())[:1500]}")
        return replace(_failed(target, failure, started, context), seconds=time.monotonic() - begun)
    status = Status.UNCHANGED if outcome.snapshot is None else Status.SUCCEEDED
    result = TableRun(
        target.dotted, status, started, time.monotonic() - begun, snapshot=outcome.snapshot, notes=outcome.notes
    )
    if isinstance(outcome, Loaded):
        return replace(result, rows_read=outcome.rows, tombstones=outcome.deletes)
    books = outcome.books
    return replace(
        result, rows_read=books.read, merged=books.merged, superseded=books.superseded, rejected=books.rejected
    )


def _committed(target: TableName, context: Context) -> bool:
    """Whether this run has committed to ``target`` already."""
    table = context.lake.catalog.find(target)
    return table is not None and table.newest(RUN_PROPERTY) == context.request.run_id


def _failed(target: TableName, error: LakehouseError, started: datetime, context: Context) -> TableRun:
    return TableRun(
        target.dotted,
        Status.FAILED,
        started,
        error=context.redaction.text(str(error)),
        exit_code=int(error.exit_code),
        retryable=error.retryable,
    )


def _connection(target: TableName, context: Context) -> str:
    return context.registry.tables[target.table].source.connection


def exit_code(runs: Sequence[TableRun]) -> ExitCode:
    """The code of a run whose tables ended so: the worst of theirs."""
    codes = {run.exit_code for run in runs if run.status is Status.FAILED}
    for code in (ExitCode.SYSTEM_FAILURE, ExitCode.CONFIGURATION, ExitCode.DATA_FAILURE):
        if code in codes:
            return code
    return ExitCode.SUCCESS
