"""What a raw table knows of its source: the watermark and its company.

The state is a property of the snapshot that brought the rows (:data:`PROPERTY`), so a crash leaves both or neither.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict

from lakehouse.iceberg.snapshots import HasHistory

PROPERTY = "lakehouse.state"


class State(BaseModel):
    """The state after a load.

    Attributes:
        taken_at: when the source was looked at, by the source's clock (UTC).
        columns: a fingerprint of what was read.
        key: the columns that identify a row.
        lower: where the next incremental load starts, as text of the cursor's type; ``None``: at the beginning.
        highest: the highest cursor seen.
        floor: for an integer cursor, the highest value visible before the transactions were looked at.
        reaches_back_to: no transaction that ``taken_at`` did not show began before it; ``None``: unknown.
        fingerprint: of the source's rows from ``lower`` on, where the source can tell cheaply that none changed.
        keys: how many keys the source had when they were last compared.
        keys_compared_at: when that was.
    """

    model_config = ConfigDict(frozen=True)

    taken_at: datetime
    columns: str
    key: tuple[str, ...] = ()
    lower: str | None = None
    highest: str | None = None
    floor: str | None = None
    reaches_back_to: datetime | None = None
    fingerprint: str | None = None
    keys: int | None = None
    keys_compared_at: datetime | None = None


def states(table: HasHistory) -> Iterable[State]:
    """The states in the table's history, newest first."""
    for snapshot in table.history():
        if PROPERTY in snapshot.summary:
            yield State.model_validate_json(snapshot.summary[PROPERTY])


def last_state(table: HasHistory | None) -> State | None:
    """The state after the table's last load; ``None`` when it has never been loaded."""
    return None if table is None else next(iter(states(table)), None)


def reaches_back_to(asked: datetime, prepared: tuple[str, ...], previous: State | None) -> datetime | None:
    """The moment before which no transaction that the snapshot does not show can have begun.

    Args:
        asked: the horizon of the transactions whose beginning is known.
        prepared: prepared transactions, whose beginning is not: each began after the previous look at the source, or
            was counted then.
        previous: the state of the load before; without one, nothing is known of a prepared transaction.
    """
    if not prepared:
        return asked
    if previous is None or previous.reaches_back_to is None:
        return None
    return min(asked, previous.taken_at, previous.reaches_back_to)


def lower_for_time(highest: Any, horizon: datetime | None, overlap: timedelta) -> str | None:
    """Where the next load starts by a timestamp or date cursor: the lower of highest cursor and horizon."""
    if highest is None or horizon is None:
        return None
    if isinstance(highest, datetime):
        bound = min(highest.astimezone(UTC), horizon) - overlap if _has_room(highest, overlap) else highest
        return bound.astimezone(UTC).isoformat()
    assert isinstance(highest, date)
    day = min(highest, (horizon - timedelta(days=1)).date())  # a date is stamped in the writer's zone
    return (day - timedelta(days=overlap.days + (overlap.seconds > 0))).isoformat()


def _has_room(moment: datetime, overlap: timedelta) -> bool:
    return moment - datetime(1, 1, 2, tzinfo=UTC) > overlap


def lower_for_integer(now: State, asked_at: datetime, guard: timedelta, earlier: Iterable[State]) -> str | None:
    """Where the next load starts by an integer cursor.

    ``asked_at`` is when the open transactions were looked at, and ``guard`` what was taken off their beginning.

    A transaction that began at ``t`` draws its numbers after ``t``, hence above all that was visible at any look at
    the source before ``t``: the newest such look gives the bound.
    """
    if now.reaches_back_to is None:
        return None
    if now.reaches_back_to + guard >= asked_at:
        return now.floor
    return next((state.floor for state in earlier if state.taken_at <= now.reaches_back_to), None)
