"""What the foreign sources have in common: when they begin, and how a person reads a number or a moment of theirs.

Each class plays a day into its source and says by ``truth`` what a person expects of the lake then: the rows of silver by
their key, and the names of what stands in quarantine. No code of the engine is used here.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

Row = dict[str, Any]
Truth = tuple[dict[Any, Row], set[Any]]
START = datetime(2031, 5, 4, 6, tzinfo=UTC)
WRONG = (ValueError, ArithmeticError)


def at(hours: float) -> datetime:
    """The moment so many hours after the beginning."""
    return START + timedelta(hours=hours)


def number(value: Any, places: str) -> Decimal | None:
    """A decimal with so many places, however it was written; one that has more is refused, not rounded."""
    if value is None:
        return None
    found = Decimal(str(value)).quantize(Decimal(places))
    if found != Decimal(str(value)):
        raise ValueError(value)
    return found


def utc(value: datetime | str | None) -> datetime | None:
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return found if found is None else found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
