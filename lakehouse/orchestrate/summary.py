"""A run for people: a line while a table ends, a table of all at the end."""

from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from lakehouse.orchestrate.pending import Change, Kind
from lakehouse.orchestrate.pipeline import Event, Outcome
from lakehouse.orchestrate.runs import Status

_COLOURS = {Status.SUCCEEDED: "green", Status.UNCHANGED: "dim", Status.FAILED: "red", Status.SKIPPED: "yellow"}
_CHANGES = {Kind.NEW: "green", Kind.DOWNSTREAM: "dim", Kind.STOPS: "red", Kind.UNMADE: "magenta"}


def progress_line(event: Event) -> str:
    """A line of progress for an event; empty for those that say nothing to a person."""
    match event["event"]:
        case "run_started":
            return f"run {event['run_id']}: {_counted(len(event['tables']), 'table')}"
        case "table":
            padding = " " * (10 - len(event["status"]))
            return f"  {_coloured(event['status'])}{padding} {event['table']:<40} {_detail(event)}"
        case "run_finished":
            return f"run {event['run_id']}: {event.get('note') or event['status']}"
    return ""


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
    for name, event in outcome.tables.items():
        counts = [event.get(key) or 0 for key in ("rows_read", "merged", "superseded", "rejected", "tombstones")]
        table.add_row(
            name,
            _coloured(event["status"]),
            *(f"{count:,}" if count else "" for count in counts),
            f"{event.get('seconds', 0):.1f}",
        )
    return table


def _coloured(status: str) -> str:
    colour = _COLOURS.get(Status(status), "white")
    return f"[{colour}]{status}[/{colour}]"


def _detail(event: Event) -> str:
    if event.get("error"):
        return escape(str(event["error"]))
    parts = []
    if event.get("rows_read"):
        parts.append(_counted(event["rows_read"], "row"))
    if event.get("rejected"):
        parts.append(f"{event['rejected']:,} rejected")
    if event.get("tombstones"):
        parts.append(f"{event['tombstones']:,} deleted")
    parts += [escape(note) for note in event.get("notes") or ()]
    return ", ".join([*parts, f"{event.get('seconds', 0):.1f} s"])


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
