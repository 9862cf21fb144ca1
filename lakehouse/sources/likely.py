"""What the columns of files of text are like, by some of their records: for a first contract, which a person then reads."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from lakehouse.paths import column_names
from lakehouse.registry.tables import EPOCHS, ISO
from lakehouse.sources.relation import Likely, SourceColumn

_WHOLE, _NUMBER = re.compile(r"[+-]?(0|[1-9]\d{0,17})"), re.compile(r"[+-]?\d{1,12}\.(\d{1,6})")
_MOST_DIGITS, _LEAST_SCALE = 18, 2  # a value that comes later may have a digit more
#: What programs write besides ISO 8601, as Spark's patterns have it and as Python's. Where the month may stand first nothing
#: tells 3 April from 4 March, so that is left to a person.
_PATTERNS = {
    "dd/MM/yyyy HH:mm:ss": "%d/%m/%Y %H:%M:%S",
    "dd.MM.yyyy HH:mm:ss": "%d.%m.%Y %H:%M:%S",
    "dd.MM.yyyy HH:mm": "%d.%m.%Y %H:%M",
    "dd.MM.yyyy": "%d.%m.%Y",
    "yyyy/MM/dd HH:mm:ss": "%Y/%m/%d %H:%M:%S",
}
#: Smaller numbers are rather numbers than seconds since 1970: of before 1973.
_LEAST_EPOCH = 10**8


def text_columns(records: Sequence[Mapping[str, Any]], own: Collection[str]) -> list[SourceColumn]:
    """The columns of records whose values arrive as text, each with the type that its values are like.

    Args:
        own: the lake names that its kind of source keeps for itself.
    """
    likely = likely_columns(records)
    names = column_names([*own, *likely])[len(own) :]
    pairs = zip(names, likely.items(), strict=True)
    return [SourceColumn(source, name, "text", "string", likely=like) for name, (source, like) in pairs]


def likely_columns(records: Sequence[Mapping[str, Any]]) -> dict[str, Likely]:
    """By column, in the order in which they appear. Of an object each part is a column: ``store.city``."""
    found: dict[str, list[Any]] = {}
    for record in records:
        for name, value in _flat(record):
            found.setdefault(name, []).append(value)
    return {name: _likely([value for value in values if value is not None]) for name, values in found.items()}


def _flat(record: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in record.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def _likely(values: Sequence[Any]) -> Likely:
    if values and all(isinstance(value, bool) for value in values):
        return Likely("boolean")
    texts = [str(value) for value in values if isinstance(value, str | int | float) and not isinstance(value, bool)]
    if not texts or len(texts) < len(values):
        return Likely("string")
    if all(map(_WHOLE.fullmatch, texts)):
        return Likely("bigint")
    if (scale := _scale(texts)) is not None:
        return Likely(f"decimal({_MOST_DIGITS},{max(scale, _LEAST_SCALE)})")
    if all(map(_is_date, texts)):
        return Likely("date")
    if all(map(_is_moment, texts)):
        return Likely("timestamp")
    formats = dict.fromkeys(map(_format, texts))
    return Likely("string") if None in formats else Likely("timestamp", tuple(name for name in formats if name))


def _format(text: str) -> str | None:
    """How a moment is written; ``None`` of a text that is none."""
    if _WHOLE.fullmatch(text):
        number = int(text)
        ranges = ((name, max(low, _LEAST_EPOCH), high) for name, (low, high, _) in EPOCHS.items())
        return next((name for name, low, high in ranges if low <= number < high), None)
    if _is_moment(text):
        return ISO
    return next((name for name, pattern in _PATTERNS.items() if _fits(text, pattern)), None)


def _fits(text: str, pattern: str) -> bool:
    try:
        return datetime.strptime(text, pattern) is not None  # noqa: DTZ007  (whether it is one, not which)
    except ValueError:
        return False


def _scale(texts: Sequence[str]) -> int | None:
    """The most digits behind the point; ``None`` where one is no number."""
    found = [_NUMBER.fullmatch(text) or _WHOLE.fullmatch(text) for text in texts]
    if not all(found):
        return None
    return max(len(match[1]) if match and "." in match[0] else 0 for match in found)


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text) is not None and "-" in text
    except ValueError:
        return False


def _is_moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text) is not None and "-" in text
    except ValueError:
        return False
