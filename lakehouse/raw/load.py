"""What is common to the ingest of every kind of source: what is asked for, and what came of it."""

from dataclasses import dataclass, field
from datetime import datetime

from lakehouse.errors import BrakeError
from lakehouse.registry.tables import SourceTable


@dataclass(frozen=True)
class Window:
    """A range of the cursor to read again: from ``start`` on, up to but without ``end`` (UTC)."""

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
    """

    run_id: str
    full_refresh: bool = False
    window: Window | None = None
    accept_deletes: frozenset[str] = frozenset()

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
        notes: what an operator should know: drift that flowed through, bounds that were widened.
    """

    table: str
    rows: int = 0
    deletes: int = 0
    snapshot: int | None = None
    notes: tuple[str, ...] = field(default=())


def check_brake(table: SourceTable, lake_keys: int, source_keys: int, gone: int, request: Request) -> None:
    """Stop the table when too much has vanished at once.

    Args:
        lake_keys: keys (or rows, in a full load) that the lake holds.
        source_keys: those that the source shows.
        gone: those of the lake that the source no longer has.

    Raises:
        BrakeError: the source shows none, or more than ``deletes.max_share`` are gone, and nobody confirmed.
    """
    if lake_keys == 0 or gone <= 0 or table.table in request.accept_deletes:
        return
    share = gone / lake_keys
    if source_keys > 0 and share <= table.deletes.max_share:
        return
    found = "the source shows no row at all" if source_keys == 0 else f"{gone:,} of {lake_keys:,} rows are gone"
    raise BrakeError(
        f"ingesting {table.table}: {found} at {table.source.relation} ({share:.0%}); expected at most "
        f"{table.deletes.max_share:.0%} (`deletes.max_share`). Nothing was deleted in the lake.",
        remedy=f"Look at the source. If this is meant, run again with --accept-deletes {table.table}.",
    )
