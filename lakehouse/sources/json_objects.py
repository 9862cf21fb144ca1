"""JSON objects as records: their values, and how those are written, letter for letter."""

import json
from typing import Any

import msgspec

from lakehouse.sources.records import Path

_decode = msgspec.json.Decoder(dict).decode
_spelled = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class NoObjectError(ValueError):
    """A text is no JSON object; says why, without a letter of it."""


def decoded(text: bytes) -> dict[str, Any]:
    """The fields of the object that ``text`` is.

    Raises:
        NoObjectError: it is none.
    """
    try:
        return _decoded(text)
    except UnicodeDecodeError:
        raise NoObjectError("a letter that is no UTF-8") from None
    except msgspec.DecodeError as error:
        raise NoObjectError(str(error).removeprefix("JSON is ")) from None


def _decoded(text: bytes) -> dict[str, Any]:
    try:
        return _decode(text)
    except msgspec.DecodeError as error:
        if "out of range" not in str(error):
            raise
        _spelled(text)  # is it JSON, but for a number that no float holds?
        return dict(json.loads(text))


def sampled(text: bytes) -> dict[str, Any] | None:
    """As :func:`decoded`, numbers with a point as the texts that they are written as; ``None`` of what is no object."""
    try:
        _decode(text)
        found = json.loads(text, parse_float=str)
    except (ValueError, msgspec.DecodeError):
        return None
    return dict(found)


def as_written(text: bytes, path: Path) -> str:
    """The value at ``path`` in the object ``text``, letter for letter."""
    found = _spelled(text)
    whole = ".".join(path)
    if whole in found:
        return bytes(found[whole]).decode()
    for name in path[:-1]:
        found = _spelled(bytes(found[name]))
    return bytes(found[path[-1]]).decode()
