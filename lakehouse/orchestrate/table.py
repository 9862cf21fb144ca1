"""One table of a run: how it is made, and what is told of its end."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from lakehouse.gold.rebuild import to_gold
from lakehouse.iceberg.lake import Lake
from lakehouse.iceberg.snapshots import RUN_PROPERTY
from lakehouse.learning.scoring import scoring
from lakehouse.learning.store import model_store
from lakehouse.learning.training import same_again, to_version
from lakehouse.orchestrate.boundary import Failure, guarded
from lakehouse.orchestrate.context import Context
from lakehouse.orchestrate.runs import Status, TableRun
from lakehouse.paths import Layer, TableName
from lakehouse.raw.request import Loaded
from lakehouse.silver.books import Transformed
from lakehouse.silver.current import to_silver
from lakehouse.silver.history import to_history

Made = Loaded | Transformed


def made(target: TableName, context: Context, attempt: int, work: Callable[[Lake], Made]) -> TableRun:
    """Do ``work`` for ``target`` when a slot is free; whatever it raises is this table's failure.

    Args:
        work: is given the lake with a Spark session of its own: a merge sets what its commit says in its session.
    """
    with context.slots:
        context.begun(target, attempt)
        started, begun = datetime.now(UTC), time.monotonic()

        def attempt_work() -> Made:
            if target.layer in {Layer.GOLD, Layer.MODEL}:
                return work(context.lake.in_a_session_of_its_own())
            with context.lake.in_a_session_of_the_engine() as lake:
                return work(lake)

        outcome = guarded(attempt_work, f"making {target.dotted}")
        ended = failed(target, outcome, context, attempt) if isinstance(outcome, Failure) else _books(target, outcome)
        times = {"started_at": started, "seconds": time.monotonic() - begun, "attempts": attempt}
        return ended.model_copy(update=times)


def failed(target: TableName, failure: Failure, context: Context, attempt: int) -> TableRun:
    """The end of a table that failed by ``failure``."""
    error = failure.error
    return TableRun(
        table=target.dotted,
        status=Status.FAILED,
        attempts=attempt,
        error=context.redaction.text(str(error)),
        exit_code=int(error.exit_code),
        retryable=error.retryable,
    )


def committed_before(target: TableName, context: Context) -> TableRun | None:
    """The end of a table that this run, now resumed, has committed to already."""
    if not context.resumed:
        return None
    table = context.lake.catalog.find(target)
    if table is None or table.newest(RUN_PROPERTY) != context.request.run_id:
        return None
    note = "committed before the run was resumed"
    return TableRun(table=target.dotted, status=Status.UNCHANGED, notes=(note,))


def transform(target: TableName, context: Context, lake: Lake) -> Transformed:
    """Bring ``target``, of silver or gold or a model, up to date with its inputs."""
    request, registry = context.request, context.registry
    if target.layer is Layer.SILVER:
        make = to_history if registry.keeps_history(target) else to_silver
        return make(
            registry.source_of(target),
            lake,
            run_id=request.run_id,
            started_at=context.started_at,
            full_refresh=request.full_refresh,
            pseudonym_key=context.profile.key_of_pseudonyms(),
        )
    if target.layer is Layer.MODEL:
        model, store = registry.models[target.table], model_store(context.profile)
        if (number := request.again.get(model.name)) is not None:
            return Transformed(model.name, notes=(same_again(model, lake, store, number),))
        return to_version(model, lake, store, anew=request.full_refresh)
    transformer = registry.transformers[target.table]
    if transformer.model:
        by_champion = scoring(registry.models[transformer.model], transformer, model_store(context.profile))
        if by_champion is None:
            return Transformed(transformer.table, notes=(f"model {transformer.model} has no champion yet",))
        transformer = by_champion
    return to_gold(
        transformer,
        lake,
        context.profile.parameters,
        run_id=request.run_id,
        window=request.window,
        full_refresh=request.full_refresh,
    )


def _books(target: TableName, outcome: Made) -> TableRun:
    """The end of a table that was made."""
    status = Status.UNCHANGED if outcome.snapshot is None else Status.SUCCEEDED
    if isinstance(outcome, Loaded):
        return TableRun(
            table=target.dotted,
            status=status,
            rows_read=outcome.rows,
            tombstones=outcome.deletes,
            snapshot=outcome.snapshot,
            notes=outcome.notes,
        )
    books = outcome.books
    return TableRun(
        table=target.dotted,
        status=status,
        rows_read=books.read,
        merged=books.merged,
        superseded=books.superseded,
        rejected=books.rejected,
        snapshot=outcome.snapshot,
        notes=outcome.notes,
    )
