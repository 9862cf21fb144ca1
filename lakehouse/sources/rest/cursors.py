"""Cursors: what the text of one says, and how an API is asked for what lies behind it.

A moment is ISO 8601 or a number of seconds or milliseconds since 1970, told apart by its size as `formats` of the registry
does; one without a zone is UTC.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa

from lakehouse.registry.tables import EPOCHS
from lakehouse.sources.reader import Value
from lakehouse.sources.relation import CursorKind

#: The options' names of the kinds.
KINDS = {"timestamp": CursorKind.MOMENT, "date": CursorKind.DATE, "bigint": CursorKind.INTEGER}
#: The types of cursors at the source and in the lake.
TYPED = {
    CursorKind.MOMENT: ("moment", "timestamp"),
    CursorKind.DATE: ("day", "date"),
    CursorKind.INTEGER: ("whole number", "bigint"),
}
_ARROW = {CursorKind.MOMENT: pa.timestamp("us", "UTC"), CursorKind.DATE: pa.date32(), CursorKind.INTEGER: pa.int64()}
_EPOCH, _SECOND, _DAY = datetime(1970, 1, 1, tzinfo=UTC), timedelta(seconds=1), timedelta(days=1)
_MOST = 2**63


def typed(texts: Iterable[str | None], kind: CursorKind) -> pa.Array:
    """What ``texts`` say; NULL where one says no such value."""
    value = _VALUES[kind]
    return pa.array([None if text is None else value(text) for text in texts], _ARROW[kind])


def moment(text: str) -> datetime | None:
    """A moment (UTC); ``None`` of a text that says none."""
    try:
        if (number := whole(text)) is not None:
            micros = next((number * per for low, high, per in EPOCHS.values() if low <= number < high), None)
            return None if micros is None else _EPOCH + timedelta(microseconds=micros)
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def day(text: str) -> date | None:
    """A day, written as ISO 8601 has it; ``None`` of a text that says none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def whole(text: str) -> int | None:
    """A whole number of 64 bits; ``None`` of a text that says none."""
    if not text.removeprefix("-").isdecimal() or not text.isascii():
        return None
    number = int(text) if len(text) < 25 else _MOST
    return number if -_MOST <= number < _MOST else None


_VALUES: dict[CursorKind, Callable[[str], Any]] = {
    CursorKind.MOMENT: moment,
    CursorKind.DATE: day,
    CursorKind.INTEGER: whole,
}


def kind_of(texts: Iterable[str | None]) -> CursorKind:
    """What all of ``texts`` say; moments where that is undecided. A whole number is no moment until the registry says so."""
    there = [text for text in texts if text is not None]
    kinds = (CursorKind.INTEGER, CursorKind.DATE)
    return next(
        (kind for kind in kinds if there and all(_VALUES[kind](t) is not None for t in there)), CursorKind.MOMENT
    )


def asked_from(lower: Value, written: str) -> str:
    """How an API is asked for what changed from ``lower`` on: a little earlier, since it may mean only what is later, or
    compare whole seconds. What it sends too much is left out.

    Args:
        written: ``iso8601``, ``date``, ``epoch_s`` or ``epoch_ms``; of a whole number nothing else is.
    """
    if isinstance(lower, int):
        return str(lower - 1)
    at = lower if isinstance(lower, datetime) else datetime(lower.year, lower.month, lower.day, tzinfo=UTC)
    if written == "date":
        return (at.astimezone(UTC) - _DAY).date().isoformat()
    second = (at.astimezone(UTC) - _EPOCH) // _SECOND - 1
    if written == "iso8601":
        return (_EPOCH + second * _SECOND).strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(second * (1000 if written == "epoch_ms" else 1))
