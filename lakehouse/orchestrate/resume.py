"""What stands open from earlier runs: closing those that died, and finding the one that ``--resume`` goes on with."""

from dataclasses import dataclass, replace

from pydantic import ValidationError

from lakehouse.iceberg.lake import Lake
from lakehouse.orchestrate.history import PastRun, TableEnd, ends_by_run, open_runs, past_runs
from lakehouse.orchestrate.ops import record_runs, record_tables
from lakehouse.orchestrate.runs import Kind, Plan, Status, TableRun
from lakehouse.registry.loader import Registry


@dataclass(frozen=True)
class Resumed:
    """The run to go on with, as today's registry allows; ``note`` says which it is and what is left out."""

    run_id: str
    plan: Plan
    note: str


def close_died(lake: Lake) -> list[str]:
    """Record runs that began and did not end as ``died``, with each table of theirs that has no end; returns their ids.

    An end from before the run was resumed is none: the table may have been made again when the run died.

    For whoever holds the locks of a run: then nothing that is open can be alive.
    """
    died = open_runs(lake)
    for past in died:
        record = past.record
        ends = ends_by_run(lake, record.run_id)
        told = {end.table.dotted for end in ends if end.started_at >= past.opened_at}
        error = "the run ended before it told what became of this table"
        lost = [TableRun(table=name, status=Status.DIED, error=error) for name in record.planned() if name not in told]
        record_tables(lake.catalog, record.run_id, lost)
    record_runs(lake.catalog, [replace(past.record, status=Status.DIED) for past in died])
    return [past.record.run_id for past in died]


def to_resume(lake: Lake, registry: Registry) -> Resumed | None:
    """The newest pipeline run that did not succeed and that later runs have not made good; ``None`` when there is none.

    A run is made good when each of its tables that the registry still makes ended well in it or in a later run that
    does the same or more: a replay of days reads these and no newer rows, an ordinary run no days again. Single jobs
    are never resumed, but the tables that they made count.

    Raises:
        ConfigurationError: its plan was recorded by another version of the engine.
    """
    runs, ends = past_runs(lake), ends_by_run(lake)
    known = {target.dotted for target in registry.targets()}
    for number, past in enumerate(runs):
        record = past.record
        if record.kind is not Kind.PIPELINE or record.status.is_good:
            continue
        if _is_made_good(past, runs[:number], ends, known):
            continue
        plan = record.read_plan()
        gone = [table for table in plan.tables if table not in known]
        note = f"resumes run {record.run_id} of {past.began_at:%Y-%m-%d %H:%M} UTC, which {record.status}"
        if gone:
            note += f"; left out, since the registry no longer makes them: {', '.join(gone)}"
        left = tuple(table for table in plan.tables if table in known)
        return Resumed(record.run_id, plan.model_copy(update={"tables": left}), note)
    return None


def _is_made_good(past: PastRun, later: list[PastRun], ends: list[TableEnd], known: set[str]) -> bool:
    """Whether nothing is left to do of ``past``; ``later`` are the runs that began after it."""
    wanted = {table for table in past.record.planned() if table in known}
    if not wanted:
        return True
    own = {end.table.dotted for end in ends if end.run_id == past.record.run_id and end.status.is_good}
    if wanted <= own:  # it failed, or died, after its last table: at publishing
        return any(run.record.kind is Kind.PIPELINE and run.record.status is Status.SUCCEEDED for run in later)
    covering = {run.record.run_id for run in later if _does_as_much(run, past)}
    return wanted <= own | {end.table.dotted for end in ends if end.run_id in covering and end.status.is_good}


def _does_as_much(later: PastRun, past: PastRun) -> bool:
    """Whether a table that ended well in ``later`` is at least as ``past`` wanted it."""
    try:
        done, wanted = (Plan.model_validate_json(run.record.plan) for run in (later, past))
    except ValidationError:
        return False
    if wanted.full_refresh:
        return done.full_refresh
    return done.full_refresh or done.window == wanted.window
