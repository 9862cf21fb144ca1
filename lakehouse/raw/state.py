"""What a raw table knows of its source: the watermark, and all that decided which rows are there.

The state is a property of the snapshot that brought the rows (:data:`PROPERTY`), so a crash leaves both or neither.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from lakehouse.errors import SystemFailureError
from lakehouse.iceberg.snapshots import RUN_PROPERTY, HasHistory
from lakehouse.model import Strict
from lakehouse.raw.watermark import IntegerWatermark, Watermark
from lakehouse.sources.reader import Horizon

PROPERTY = "lakehouse.state"


class ReadColumn(Strict):
    """A column as it was read: what its values depend on."""

    name: str
    source_name: str
    source_type: str
    identity: str = ""


class State(Strict):
    """The state after a load.

    Attributes:
        taken_at: when the source was looked at, by the source's clock (UTC).
        origin: connection and relation.
        key: the columns that identify a row.
        cursor: the column by which it is read; ``None`` in a full load.
        columns: those that the watermark vouches for: all rows that it covers were read with them.
        options: what else decided the values: time zone.
        watermark: of an incremental load.
        position: what was read of what arrives, as its kind of source writes it down.
        reaches_back_to: no transaction that ``taken_at`` did not show began before it; ``None``: unknown.
        fingerprint: of the source's rows from the watermark on, where the source can tell cheaply that none changed.
        keys: how many keys the source had when they were last compared.
        keys_compared_at: when that was.
    """

    taken_at: datetime
    origin: str = ""
    key: tuple[str, ...] = ()
    cursor: str | None = None
    columns: tuple[ReadColumn, ...] = ()
    options: Mapping[str, str] = {}
    watermark: Watermark | None = None
    position: str | None = None
    reaches_back_to: datetime | None = None
    fingerprint: str | None = None
    keys: int | None = None
    keys_compared_at: datetime | None = None

    def properties(self, run_id: str) -> dict[str, str]:
        """The snapshot properties that record this."""
        return {PROPERTY: self.model_dump_json(exclude_none=True), RUN_PROPERTY: run_id}


def states(table: HasHistory) -> Iterator[State]:
    """The states in the table's history, newest first.

    Raises:
        SystemFailureError: one cannot be read: it is damaged, or of another version of the engine.
    """
    for snapshot in table.history():
        text = snapshot.summary.get(PROPERTY)
        if text is None:
            continue
        try:
            yield State.model_validate(_today(json.loads(text)))
        except ValidationError as error:
            first: Any = error.errors(include_url=False)[0]
            raise SystemFailureError(
                f"reading the state in snapshot {snapshot.identifier}: {'.'.join(map(str, first['loc']))}: {first['msg']}; "
                "expected a state that this version of the engine wrote.",
                remedy="Run the table again with --full-refresh, which reads everything anew.",
            ) from error


def _today(content: dict[str, Any]) -> dict[str, Any]:
    """A state as it is written today. The first version did not say which columns it vouches for: it vouches for none."""
    if not isinstance(content.get("columns"), str):
        return content
    return {name: content[name] for name in ("taken_at", "key", "keys", "keys_compared_at") if name in content}


def last_state(table: HasHistory | None) -> State | None:
    """The state after the table's last load; ``None`` when it is not known."""
    return None if table is None else next(states(table), None)


def floors(table: HasHistory, newest: State) -> Iterator[tuple[datetime, int | None]]:
    """Moment and floor of the looks at the source, newest first, where the cursor is an integer.

    They end where the cursor was not the column that it is in ``newest``: another's numbers say nothing of its.
    """
    for state in states(table):
        if _followed(state) != _followed(newest):
            return
        if isinstance(state.watermark, IntegerWatermark):
            yield state.taken_at, state.watermark.floor


def _followed(state: State) -> tuple[str, ReadColumn | None]:
    """The column that the watermark is of."""
    return state.origin, next((column for column in state.columns if column.name == state.cursor), None)


def reaches_back_to(horizon: Horizon, previous: State | None) -> datetime | None:
    """The moment before which no transaction that the session does not show can have begun.

    A prepared transaction began after the previous look at the source, or was counted then; without a previous look
    nothing is known of it.
    """
    if not horizon.prepared:
        return horizon.at
    if previous is None or previous.reaches_back_to is None:
        return None
    return min(horizon.at, previous.taken_at, previous.reaches_back_to)
