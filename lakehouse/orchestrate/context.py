"""What making the tables of a run needs."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from lakehouse.iceberg.lake import Lake
from lakehouse.logs import Redaction
from lakehouse.orchestrate.runs import TableRun
from lakehouse.paths import TableName
from lakehouse.raw.request import Request
from lakehouse.registry.loader import Registry
from lakehouse.settings import Profile

_AT_ONCE = 8


def _unheard(_table: TableName, _attempt: int) -> None:
    """Nobody follows what begins."""


@dataclass(frozen=True)
class Context:
    """What making the tables of a run needs.

    Attributes:
        started_at: of the run (UTC).
        redaction: takes secrets out of error texts.
        report: called with what became of each table, as soon as it is known.
        begun: called when a table begins, with the number of the attempt; by several threads.
        resumed: whether tables that this run committed before are left alone.
        slots: how many tables may be worked on at once.
    """

    profile: Profile
    registry: Registry
    lake: Lake
    request: Request
    started_at: datetime
    redaction: Redaction
    report: Callable[[TableRun], None]
    resumed: bool = False
    begun: Callable[[TableName, int], None] = _unheard
    slots: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(_AT_ONCE))
