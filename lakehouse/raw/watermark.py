"""How far a source has been read by its cursor, and from where the next load reads: the arithmetic of watermarks.

A row is stamped before it becomes visible. So the next load starts at the highest cursor seen, or lower: where a row may
still come that was on its way when the source was looked at (the *horizon*), less what the table's ``overlap`` and the
cursor's own *slack* ask for. A row at the bound is read again, and falls together with itself on the key.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import Field

from lakehouse.model import Strict
from lakehouse.sources.reader import Value
from lakehouse.sources.relation import CursorKind

_DAY = timedelta(days=1)
_FIRST_MOMENT = datetime(1, 1, 2, tzinfo=UTC)
_FIRST_DAY = date(1, 1, 2)


@dataclass(frozen=True)
class Seen:
    """One look at a source.

    Attributes:
        highest: the highest value of the cursor in the rows that were read; ``None``: there was none.
        settled_before: UTC; no transaction that the look does not show began before it; ``None``: unknown.
        nothing_open: whether no transaction was open then.
        floor: the highest integer that was visible before the transactions were looked at.
        has_transactions: see :class:`lakehouse.sources.reader.Horizon`.
    """

    highest: Value | None
    settled_before: datetime | None
    nothing_open: bool
    floor: int | None = None
    has_transactions: bool = True


class MomentWatermark(Strict):
    """Of a cursor of moments (UTC).

    Attributes:
        highest: the highest that was seen.
        lower: where the next load starts; ``None``: at the beginning.
    """

    kind: Literal[CursorKind.MOMENT] = CursorKind.MOMENT
    highest: datetime | None = None
    lower: datetime | None = None

    def advanced(self, seen: Seen, overlap: timedelta, slack: timedelta) -> Self:
        """The watermark after a look: at the highest, or where an open transaction began, less overlap and slack.

        A moment far in the future does not lift it above the horizon.
        """
        highest = max((at for at in (self.highest, seen.highest) if isinstance(at, datetime)), default=None)
        if highest is None or seen.settled_before is None:
            return self.model_copy(update={"highest": highest, "lower": None})
        bound = min(highest.astimezone(UTC), seen.settled_before)
        back = overlap + slack
        lower = bound - back if bound - _FIRST_MOMENT > back else _FIRST_MOMENT
        return self.model_copy(update={"highest": highest.astimezone(UTC), "lower": min(lower, bound)})


class DateWatermark(Strict):
    """Of a cursor of days; see :class:`MomentWatermark`."""

    kind: Literal[CursorKind.DATE] = CursorKind.DATE
    highest: date | None = None
    lower: date | None = None

    def advanced(self, seen: Seen, overlap: timedelta, slack: timedelta) -> Self:
        """As of moments; a day is stamped in the writer's zone, which may be a day behind UTC's."""
        highest = max((day for day in (self.highest, seen.highest) if isinstance(day, date)), default=None)
        if highest is None or seen.settled_before is None:
            return self.model_copy(update={"highest": highest, "lower": None})
        bound = min(highest, (seen.settled_before - _DAY).date())
        days = -((overlap + slack) // -_DAY)
        lower = bound - timedelta(days=days) if (bound - _FIRST_DAY).days > days else min(bound, _FIRST_DAY)
        return self.model_copy(update={"highest": highest, "lower": lower})


class IntegerWatermark(Strict):
    """Of a cursor of whole numbers; see :class:`MomentWatermark`.

    Attributes:
        floor: the highest number that was visible before the transactions were looked at.
    """

    kind: Literal[CursorKind.INTEGER] = CursorKind.INTEGER
    highest: int | None = None
    lower: int | None = None
    floor: int | None = None

    def advanced(self, seen: Seen, slack: int, earlier: Iterable[tuple[datetime, int | None]]) -> Self:
        """The watermark after a look.

        A transaction that began at ``t`` draws its numbers after ``t``, hence above all that was visible at any look at
        the source before ``t``: the newest such look gives the bound.

        Args:
            slack: how many numbers sessions may have been handed out and not used yet.
            earlier: moment and floor of the looks before, newest first.
        """
        highest = max((number for number in (self.highest, seen.highest) if isinstance(number, int)), default=None)
        floor = seen.floor if seen.has_transactions else highest
        if seen.settled_before is None:
            lower = None
        elif seen.nothing_open or not seen.has_transactions:
            lower = floor
        else:
            settled = seen.settled_before
            lower = next((number for at, number in earlier if at <= settled), None)
        return self.model_copy(
            update={"highest": highest, "floor": floor, "lower": None if lower is None else lower - slack}
        )


Watermark = Annotated[MomentWatermark | DateWatermark | IntegerWatermark, Field(discriminator="kind")]
_KINDS = {
    CursorKind.MOMENT: MomentWatermark,
    CursorKind.DATE: DateWatermark,
    CursorKind.INTEGER: IntegerWatermark,
}


def advanced(
    kind: CursorKind,
    before: MomentWatermark | DateWatermark | IntegerWatermark | None,
    seen: Seen,
    overlap: timedelta,
    slack: timedelta | int,
    earlier: Iterable[tuple[datetime, int | None]] = (),
) -> MomentWatermark | DateWatermark | IntegerWatermark:
    """The watermark of a cursor of that kind after a look, from the one ``before``; a cursor of another kind begins anew."""
    mark = before if before is not None and before.kind is kind else _KINDS[kind]()
    if isinstance(mark, IntegerWatermark):
        return mark.advanced(seen, slack if isinstance(slack, int) else 0, earlier)
    return mark.advanced(seen, overlap, slack if isinstance(slack, timedelta) else timedelta(0))
