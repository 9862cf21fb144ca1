"""What a person sees of a run, on a terminal and elsewhere."""

import io

import pytest
from rich.console import Console

from lakehouse.cli.progress import Progress


class Clock:
    """Seconds that pass when they are told to."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_the_line_tells_tables_done_of_all_what_runs_and_for_how_long(clock: Clock) -> None:
    progress = Progress(Console(file=io.StringIO()), clock)
    clock.now += 3
    assert progress.line() == "Spark starts, 3 s"
    progress.expect(3)
    progress.start("raw.orders")
    clock.now += 61
    progress.start("raw.users")
    assert progress.line() == "0 of 3 tables, 1 min 4 s: raw.orders 1 min 1 s, raw.users 0 s"
    progress.start("raw.orders")  # a second attempt is the same table
    progress.end("raw.orders")
    progress.end("silver.skipped")
    clock.now += 1
    assert progress.line() == "2 of 3 tables, 1 min 5 s: raw.users 1 s"
    progress.end("raw.users")
    assert progress.line() == "3 of 3 tables, 1 min 5 s"


def test_off_a_terminal_there_are_only_lines_of_what_ended(clock: Clock) -> None:
    out = io.StringIO()
    with Progress(Console(file=out, width=80), clock) as progress:
        progress.expect(1)
        progress.say("  [green]succeeded[/green]  raw.orders" + " and more" * 20)
    assert out.getvalue() == "  succeeded  raw.orders" + " and more" * 20 + "\n"


def test_on_a_terminal_ended_tables_stand_above_the_line(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")  # on a dumb one no line can be written anew
    out = io.StringIO()
    with Progress(Console(file=out, width=40, force_terminal=True), clock) as progress:
        progress.expect(2)
        progress.end("raw.orders")
        progress.start("raw.users_of_a_very_long_name_that_does_not_fit")
        progress.say("succeeded raw.orders")
    text = out.getvalue()
    assert text.index("succeeded raw.orders") < text.rindex("1 of 2 tables, 0 s: raw.users_of_a_very…"[:39])
    assert "does_not_fit" not in text
