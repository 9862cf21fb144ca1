"""A run on a terminal: a line for each table that ended, and below them one that tells what goes on."""

import time
from collections.abc import Callable
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.text import Text

_PER_SECOND = 4


class Progress:
    """Lines of ended tables; on a terminal with a live line below: tables done of all, what runs now and for how long.

    Args:
        clock: seconds, from any beginning.
    """

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console, self._clock = console, clock
        self._live: Live | None = None
        if console.is_terminal:
            self._live = Live(self, console=console, refresh_per_second=_PER_SECOND, transient=True)
        self._began = clock()
        self._total = self._done = 0
        self._running: dict[str, float] = {}

    def __enter__(self) -> "Progress":
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def say(self, line: str) -> None:
        """Print ``line``, in Rich's markup, above the live one."""
        self._console.print(line, highlight=False, soft_wrap=True)

    def expect(self, tables: int) -> None:
        """So many tables are to be made."""
        self._total = tables

    def start(self, table: str) -> None:
        """``table`` began."""
        self._running.setdefault(table, self._clock())

    def end(self, table: str) -> None:
        """``table`` came to its end, whatever that is."""
        self._running.pop(table, None)
        self._done += 1

    def __rich__(self) -> Text:
        return Text(self.line(), no_wrap=True, overflow="ellipsis", style="bold")

    def line(self) -> str:
        """What goes on, for people."""
        now = self._clock()
        took = _spent(now - self._began)
        if not self._total:
            return f"Spark starts, {took}"
        running = ", ".join(f"{table} {_spent(now - began)}" for table, began in self._running.items())
        return f"{self._done} of {max(self._total, self._done)} tables, {took}{': ' if running else ''}{running}"


def _spent(seconds: float) -> str:
    whole = int(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60} s"
