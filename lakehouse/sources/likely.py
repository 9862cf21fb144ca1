"""What the columns of files of text are like, by some of their records: for a first contract, which a person then reads."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from lakehouse.paths import column_names
from lakehouse.sources.relation import SourceColumn

_WHOLE, _NUMBER = re.compile(r"[+-]?(0|[1-9]\d{0,17})"), re.compile(r"[+-]?\d{1,12}\.(\d{1,6})")
_MOST_DIGITS = 18


def text_columns(records: Sequence[Mapping[str, Any]], own: Collection[str]) -> list[SourceColumn]:
    """The columns of records whose values arrive as text, each with the type that its values are like.

    Args:
        own: the lake names that its kind of source keeps for itself.
    """
    likely = likely_columns(records)
    names = column_names([*own, *likely])[len(own) :]
    pairs = zip(names, likely.items(), strict=True)
    return [SourceColumn(source, name, "text", "string", likely=kind) for name, (source, kind) in pairs]


def likely_columns(records: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """A Spark SQL type by column, in the order in which they appear. Of an object each part is a column: ``store.city``."""
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


def _likely(values: Sequence[Any]) -> str:
    if values and all(isinstance(value, bool) for value in values):
        return "boolean"
    texts = [str(value) for value in values if isinstance(value, str | int | float) and not isinstance(value, bool)]
    if not texts or len(texts) < len(values):
        return "string"
    if all(map(_WHOLE.fullmatch, texts)):
        return "bigint"
    if (scale := _scale(texts)) is not None:
        return f"decimal({_MOST_DIGITS},{scale})"
    if all(map(_is_date, texts)):
        return "date"
    return "timestamp" if all(map(_is_moment, texts)) else "string"


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
