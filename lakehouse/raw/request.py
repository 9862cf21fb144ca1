"""What a run asks of the ingest, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from lakehouse.registry.tables import SourceTable


@dataclass(frozen=True)
class Window:
    """A range of moments to read again: from ``start`` on, up to but without ``end`` (UTC)."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Request:
    """How a run wants its tables loaded.

    Attributes:
        run_id: goes into each row and each snapshot.
        full_refresh: read everything, and replace raw (see :meth:`replaces`).
        window: read this range again, whatever the watermark says.
        accept_deletes: tables whose vanished keys a person has confirmed.
        again: for models, the version to train again and to compare.
    """

    run_id: str
    full_refresh: bool = False
    window: Window | None = None
    accept_deletes: frozenset[str] = frozenset()
    again: Mapping[str, int] = field(default_factory=dict)

    def replaces(self, table: SourceTable) -> bool:
        """Whether raw's content is given up for what the source holds now. A table with history keeps its versions,
        which the source cannot give again: there a full refresh reads everything and adds it."""
        return self.full_refresh and not table.history


@dataclass(frozen=True)
class Loaded:
    """What an ingest did.

    Attributes:
        rows: rows that were added to raw, tombstones apart.
        deletes: tombstones that were added.
        snapshot: raw's snapshot after it; ``None`` when nothing was committed.
        notes: what an operator should know: why all was read, drift that flowed through, bounds that were widened.
    """

    table: str
    rows: int = 0
    deletes: int = 0
    snapshot: int | None = None
    notes: tuple[str, ...] = field(default=())
