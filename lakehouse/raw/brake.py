"""The brake: when too much has vanished from a source at once, a person is asked before the lake follows."""

from lakehouse.errors import BrakeError
from lakehouse.raw.request import Request
from lakehouse.registry.tables import SourceTable


def check_brake(table: SourceTable, lake_keys: int, source_keys: int, gone: int, request: Request) -> None:
    """Stop the table when too much has vanished at once.

    Args:
        lake_keys: keys (or rows, in a full load) that the lake holds.
        source_keys: those that the source shows.
        gone: those of the lake that the source no longer has.

    Raises:
        BrakeError: the source shows none, or more than ``deletes.max_share`` are gone, and nobody confirmed. A full
            refresh confirms any share, but not that the source shows none.
    """
    if lake_keys == 0 or gone <= 0 or table.table in request.accept_deletes:
        return
    share = gone / lake_keys
    if source_keys > 0 and (share <= table.deletes.max_share or request.full_refresh):
        return
    shown = "the source shows no row at all" if source_keys == 0 else f"{gone:,} of {lake_keys:,} rows are gone"
    raise BrakeError(
        f"ingesting {table.table}: {shown} at {table.source.relation} ({share:.0%}); expected at most "
        f"{table.deletes.max_share:.0%} (`deletes.max_share`). Nothing was deleted in the lake.",
        remedy=f"Look at the source. If this is meant, run again with --accept-deletes {table.table}.",
    )
