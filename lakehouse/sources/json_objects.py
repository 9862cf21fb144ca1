"""JSON objects as records: their values, and how those are written, letter for letter."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from lakehouse.sources.records import Number, Path

_decode = msgspec.json.Decoder(dict, float_hook=Number).decode
_spelled = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class NoObjectError(ValueError):
    """A text is no JSON object; says why, without a letter of it."""


def decoded(text: bytes) -> dict[str, Any]:
    """The fields of the object that ``text`` is; numbers with a point or an exponent as they are written.

    Raises:
        NoObjectError: it is none.
    """
    try:
        found: dict[str, Any] = _decode(text)
    except UnicodeDecodeError:
        raise NoObjectError("a letter that is no UTF-8") from None
    except msgspec.DecodeError as error:
        raise NoObjectError(str(error).removeprefix("JSON is ")) from None
    return found


def objects(texts: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The fields of those of ``texts`` that are objects: for a look at what they are like."""
    for text in texts:
        try:
            yield decoded(text)
        except NoObjectError:
            continue


def as_written(text: bytes, path: Path) -> str:
    """The value at ``path`` in the object ``text``, letter for letter."""
    found = _spelled(text)
    whole = ".".join(path)
    if whole in found:
        return bytes(found[whole]).decode()
    for name in path[:-1]:
        found = _spelled(bytes(found[name]))
    return bytes(found[path[-1]]).decode()
