"""A run for people: a line while a table ends, a table of all at the end."""

from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from lakehouse.orchestrate.change import Change, Kind
from lakehouse.orchestrate.events import Event, Failed, RunFinished, RunStarted
from lakehouse.orchestrate.pipeline import Outcome
from lakehouse.orchestrate.runs import Status, TableRun

_COLOURS = {Status.SUCCEEDED: "green", Status.UNCHANGED: "dim", Status.FAILED: "red", Status.SKIPPED: "yellow"}
_CHANGES = {Kind.NEW: "green", Kind.DOWNSTREAM: "dim", Kind.STOPS: "red", Kind.UNMADE: "magenta"}


def progress_line(event: Event) -> str:
    """A line of progress for an event; empty for those that say nothing to a person."""
    match event:
        case RunStarted():
            started = f"run {event.run_id}: {_counted(len(event.tables), 'table')}"
            return f"{started} ({escape(event.note)})" if event.note else started
        case TableRun():
            padding = " " * (10 - len(event.status))
            return f"  {_coloured(event.status)}{padding} {event.table:<40} {_detail(event)}"
        case RunFinished():
            detail = f" ({escape(event.note)})" if event.note else ""
            return f"run {event.run_id}: {event.status}{detail}{_log(event.log)}"
        case Failed():
            return f"[red]{escape(event.message)}[/red]{_log(event.log)}"
        case _:
            return ""


def _log(path: str | None) -> str:
    return f"; what was printed is in {escape(path)}" if path else ""


def plan_table(rows: Sequence[dict[str, str]]) -> Table:
    """The plan of a run."""
    table = Table(title="plan", title_justify="left")
    for name in ("step", "table", "how"):
        table.add_column(name)
    for row in rows:
        table.add_row(row["step"], row["table"], row["how"])
    return table


def changes_table(changes: Sequence[Change]) -> Table:
    """What applying the registry would change."""
    table = Table(title="what would change", title_justify="left")
    for name in ("table", "change", "detail"):
        table.add_column(name, no_wrap=name == "table")
    for change in changes:
        colour = _CHANGES.get(change.kind, "yellow")
        table.add_row(change.table, f"[{colour}]{change.kind}[/{colour}]", escape(change.detail))
    return table


def summary_table(outcome: Outcome) -> Table:
    """What became of each table, and its books."""
    table = Table(title="summary", title_justify="left")
    table.add_column("table")
    table.add_column("status")
    for name in ("read", "merged", "superseded", "rejected", "deleted", "seconds"):
        table.add_column(name, justify="right")
    for name, run in outcome.tables.items():
        counts = (run.rows_read, run.merged, run.superseded, run.rejected, run.tombstones)
        table.add_row(
            name,
            _coloured(run.status),
            *(f"{count:,}" if count else "" for count in counts),
            f"{run.seconds:.1f}",
        )
    return table


def _coloured(status: Status) -> str:
    colour = _COLOURS.get(status, "white")
    return f"[{colour}]{status}[/{colour}]"


def _detail(run: TableRun) -> str:
    if run.error:
        return escape(run.error)
    parts = []
    if run.rows_read:
        parts.append(_counted(run.rows_read, "row"))
    if run.rejected:
        parts.append(f"{run.rejected:,} rejected")
    if run.tombstones:
        parts.append(f"{run.tombstones:,} deleted")
    parts += [escape(note) for note in run.notes]
    return ", ".join([*parts, f"{run.seconds:.1f} s"])


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
