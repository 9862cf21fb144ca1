"""Names and values in Spark SQL."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any


def quote(identifier: str) -> str:
    """One identifier, in backticks."""
    return "`" + identifier.replace("`", "``") + "`"


def literal(value: int | str | date) -> str:
    """``value`` as it is written in SQL: a whole number, a text or a day.

    Raises:
        TypeError: it is of another type, a subclass of these included.
    """
    if type(value) not in _WRITTEN:
        raise TypeError(f"a literal of Spark SQL: found a {type(value).__name__}, expected an int, a str or a date.")
    return _WRITTEN[type(value)](value)


def have_literals(values: Iterable[Any]) -> bool:
    """Whether :func:`literal` writes all of ``values``."""
    return all(type(value) in _WRITTEN for value in values)


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'").replace("$", "\\u0024")  # ${…} would be a variable
    return f"'{escaped}'"


_WRITTEN: Mapping[type, Callable[[Any], str]] = {int: str, str: _text, date: lambda day: f"DATE'{day.isoformat()}'"}
