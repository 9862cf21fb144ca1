"""A run as a person sees it: what is counted, what is left out, and that nothing said is taken for markup."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from lakehouse.orchestrate.change import Change, Kind
from lakehouse.orchestrate.events import Event, Failed, RunFinished, RunStarted, TableStarted
from lakehouse.orchestrate.pipeline import Outcome
from lakehouse.orchestrate.runs import Status, TableRun
from lakehouse.orchestrate.summary import changes_table, plan_table, progress_line, summary_table


def shown(what: RenderableType) -> list[str]:
    """The lines that a person sees, white space made one."""
    console = Console(width=160)
    with console.capture() as captured:
        console.print(what)
    return [" ".join(line.replace("│", " ").split()) for line in captured.get().splitlines()]


def test_progress_says_what_a_person_needs() -> None:
    run = TableRun(table="silver.a", status=Status.SUCCEEDED, rows_read=1200, rejected=3, seconds=2, notes=("new [x]",))
    assert "1,200 rows, 3 rejected, new \\[x], 2.0 s" in progress_line(run)
    assert (
        progress_line(RunStarted(run_id="r", tables=("raw.a",), note="resumes run q"))
        == "run r: 1 table (resumes run q)"
    )
    assert progress_line(TableStarted(table="raw.a")) == ""


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (TableRun(table="raw.a", status=Status.SUCCEEDED, rows_read=1), "succeeded raw.a 1 row, 0.0 s"),
        (TableRun(table="raw.a", status=Status.UNCHANGED), "unchanged raw.a 0.0 s"),
        (TableRun(table="raw.a", status=Status.SUCCEEDED, tombstones=1234), "succeeded raw.a 1,234 deleted, 0.0 s"),
        (TableRun(table="raw.a", status=Status.FAILED, error="no [b] here", rows_read=5), "failed raw.a no [b] here"),
        (TableRun(table="gold.b", status=Status.SKIPPED, error="raw.a failed"), "skipped gold.b raw.a failed"),
        (RunFinished(run_id="r", status=Status.SUCCEEDED), "run r: succeeded"),
        (RunFinished(run_id="r", status=Status.FAILED, note="not [x]", log="/l/[r].log"),
         "run r: failed (not [x]); what was printed is in /l/[r].log"),
        (Failed(message="no [catalog]"), "no [catalog]"),
        (RunStarted(run_id="r", tables=("raw.a", "raw.b")), "run r: 2 tables"),
    ],
)  # fmt: skip
def test_a_line_says_what_happened_and_no_more(event: Event, expected: str) -> None:
    assert shown(progress_line(event)) == [expected]


def test_a_table_that_begins_is_no_line() -> None:
    assert progress_line(TableStarted(table="raw.a", attempt=2)) == ""


def test_the_summary_has_the_books_of_each_table_and_no_zeros() -> None:
    runs: Sequence[TableRun] = [
        TableRun(table="raw.a", status=Status.SUCCEEDED, rows_read=1200, tombstones=3, seconds=1.26),
        TableRun(table="silver.a", status=Status.SUCCEEDED, rows_read=1203, merged=1100, superseded=60, rejected=43),
        TableRun(table="gold.b", status=Status.FAILED, error="broke"),
    ]
    outcome = Outcome(Path("r.log"), {run.table: run for run in runs})
    lines = shown(summary_table(outcome))
    assert "raw.a succeeded 1,200 3 1.3" in lines
    assert "silver.a succeeded 1,203 1,100 60 43 0.0" in lines
    assert "gold.b failed 0.0" in lines


def test_the_plan_and_what_would_change_are_shown_as_they_are() -> None:
    assert "1 raw.a full from app: public.a" in shown(
        plan_table([{"step": "1", "table": "raw.a", "how": "full from app: public.a"}])
    )
    lines = shown(changes_table([Change("silver.a", Kind.STOPS, "column [x] is gone"), Change("gold.b", Kind.NEW, "")]))
    assert f"silver.a {Kind.STOPS} column [x] is gone" in lines
    assert f"gold.b {Kind.NEW}" in lines
