"""What rows are looked for by: a column, or the day or the span of days in which its moment lies."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Self

import pyarrow as pa
import pyarrow.compute as pc

#: For each span of Spark's `trunc`, what Arrow calls it, and how many days it has at the most.
_SPANS = {
    "week": ("week", 7),
    "mon": ("month", 31),
    "month": ("month", 31),
    "mm": ("month", 31),
    "quarter": ("quarter", 92),
    "year": ("year", 366),
    "yyyy": ("year", 366),
    "yy": ("year", 366),
}
_NAME = r"(?P<quote>`?)(?P<column>\w+)(?P=quote)"
_DAY_OF = re.compile(rf"to_date\( *{_NAME} *\)", re.IGNORECASE)
_SPAN_OF = re.compile(rf"trunc\( *{_NAME} *, *'(?P<span>\w+)' *\)", re.IGNORECASE)
_COLUMN = re.compile(_NAME)


@dataclass(frozen=True)
class Term:
    """A column, or its day or first day of a span (UTC).

    Attributes:
        span: ``day``, ``week``, ``month``, ``quarter`` or ``year``; ``None`` for the column's own values.
        longest: days from the first of a span to the last, at the most.
    """

    column: str
    span: str | None = None
    longest: int = 0

    @classmethod
    def parsed(cls, expression: str, schema: pa.Schema) -> Self | None:
        """The term that a Spark SQL ``expression`` over columns of ``schema`` is; ``None`` of any other expression."""
        text = expression.strip()
        if found := _COLUMN.fullmatch(text):
            return cls(found["column"]) if found["column"] in schema.names else None
        if found := _DAY_OF.fullmatch(text):
            term = cls(found["column"], "day", 1)
        elif (found := _SPAN_OF.fullmatch(text)) and found["span"].lower() in _SPANS:
            term = cls(found["column"], *_SPANS[found["span"].lower()])
        else:
            return None
        return term if term.column in schema.names and _is_of_days(schema.field(term.column).type) else None

    def kind(self, schema: pa.Schema) -> pa.DataType:
        """The type of its values, over the columns of ``schema``."""
        return pa.date32() if self.span else schema.field(self.column).type

    def of(self, values: pa.Array) -> pa.Array:
        """Its values, of those of its column."""
        if self.span is None:
            return values
        days = values.cast(pa.date32())
        return days if self.span == "day" else pc.floor_temporal(days, unit=self.span, week_starts_monday=True)

    def within(self, low: Any, high: Any, kind: pa.DataType) -> tuple[Any, Any]:
        """What its column, of type ``kind``, lies between where the term does between ``low`` and ``high``."""
        if self.span is None:
            return low, high
        last = high + timedelta(self.longest) if high < date.max - timedelta(self.longest) else date.max
        if not pa.types.is_timestamp(kind):
            return low, last
        return datetime.combine(low, time(), UTC), datetime.combine(last, time.max, UTC)


def _is_of_days(kind: pa.DataType) -> bool:
    return bool(pa.types.is_date(kind) or pa.types.is_timestamp(kind))


def columns_of(terms: Sequence[Term], schema: pa.Schema) -> pa.Schema:
    """The fields of ``schema`` that ``terms`` look at."""
    return pa.schema([schema.field(name) for name in dict.fromkeys(term.column for term in terms)])
