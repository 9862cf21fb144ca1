"""The state that a load leaves: how far the source was read, and what the rows were read by."""

from collections.abc import Sequence
from datetime import datetime

from lakehouse.iceberg.data_files import WrittenFile
from lakehouse.iceberg.table import IcebergTable
from lakehouse.raw.columns import Contract
from lakehouse.raw.plan import read_columns
from lakehouse.raw.state import State, floors, reaches_back_to
from lakehouse.raw.watermark import Seen, Watermark, advanced
from lakehouse.registry.tables import SourceTable
from lakehouse.sources.reader import Bound, Horizon, Reader


def next_state(
    table: SourceTable,
    contract: Contract,
    reader: Reader,
    horizon: Horizon,
    raw: IcebergTable | None,
    before: State | None,
    taken_at: datetime,
    files: Sequence[WrittenFile],
    keys: int | None,
) -> State:
    """The state after a load that vouches for all rows up to its watermark; without a fingerprint.

    Args:
        raw: the table as it was; ``None`` for a first load.
        before: the state that this one goes on from; ``None`` where the load began anew.
        files: what was read; each tells its highest cursor.
        keys: how many keys the source has; ``None`` when they were not compared.
    """
    settled = reaches_back_to(horizon, before)
    was_compared = keys is not None
    watermark = None
    if contract.cursor is not None:
        watermark = _watermark(table, contract, reader, horizon, raw, before, files, settled)
    return State(
        taken_at=taken_at,
        origin=contract.origin,
        key=contract.key,
        cursor=contract.cursor,
        columns=read_columns(contract),
        options=dict(reader.options),
        watermark=watermark,
        reaches_back_to=settled,
        keys=keys if was_compared else before.keys if before else None,
        keys_compared_at=taken_at if was_compared else before.keys_compared_at if before else None,
    )


def _watermark(
    table: SourceTable,
    contract: Contract,
    reader: Reader,
    horizon: Horizon,
    raw: IcebergTable | None,
    before: State | None,
    files: Sequence[WrittenFile],
    settled: datetime | None,
) -> Watermark:
    cursor, kind = contract.cursor, contract.cursor_kind
    assert cursor is not None
    assert kind is not None
    seen = Seen(
        highest=max((file.highest for file in files if file.highest is not None), default=None),
        settled_before=settled,
        nothing_open=settled is not None and settled + horizon.guard >= horizon.asked_at,
        floor=reader.floor(cursor),
        has_transactions=horizon.has_transactions,
    )
    earlier = floors(raw, before) if raw is not None and before is not None else ()
    mark = before.watermark if before else None
    return advanced(kind, mark, seen, table.overlap, reader.slack(cursor), earlier)


def bound_of(state: State, contract: Contract) -> Bound | None:
    """The rows that the fingerprint of ``state`` covers: those from its watermark on; all of them: ``None``."""
    if contract.cursor is None or state.watermark is None or state.watermark.lower is None:
        return None
    return Bound(contract.cursor, state.watermark.lower)
