"""A page of an API: the records in it, letter for letter, and what it says of the pages to come."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from lakehouse.sources.records import Path

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_items = msgspec.json.Decoder(list[msgspec.Raw]).decode
_any = msgspec.json.Decoder(msgspec.Raw).decode
_BROKEN = (msgspec.DecodeError, UnicodeDecodeError)
_DEEPEST = 2  # fields that are looked into for lists


def is_json(text: bytes) -> bool:
    """Whether ``text`` is JSON of something."""
    try:
        _any(text)
    except _BROKEN:
        return False
    return True


class NoPageError(ValueError):
    """An answer is none of the pages that are expected; says why, without a letter of a record."""


@dataclass(frozen=True)
class Page:
    """A page.

    Attributes:
        text: JSON.
        link: of the next page, where a header says it.
    """

    text: bytes = field(repr=False)
    link: str | None = None

    def records(self, path: Path) -> list[bytes]:
        """The records of the list at ``path``, each as it is written; none of ``null``, and of an object without a field.

        Raises:
            NoPageError: there is no such list.
        """
        found = self._at(path)
        if found == b"null" or (found is None and self._at(()) == b"{}"):
            return []
        if found is None or not found.startswith(b"["):
            lists = ", ".join(name or "the page itself" for name in self.lists()) or "none"
            raise NoPageError(f"no list at {'.'.join(path) or 'the top'}; lists of objects: {lists}")
        try:
            return [bytes(item) for item in _items(found)]
        except _BROKEN:
            raise NoPageError("no JSON") from None

    def value(self, path: Path) -> str | None:
        """The text or the whole number at ``path``; ``None`` where there is neither.

        Raises:
            NoPageError: the page is no JSON.
        """
        found = self._at(path)
        try:
            value = None if found is None else msgspec.json.decode(found)
        except _BROKEN:
            raise NoPageError("no JSON") from None
        return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None

    def lists(self) -> list[str]:
        """The paths of the lists of objects in it; ``""`` of a page that is one."""
        return [".".join(path) for path in _lists(self.text, ())]

    def _at(self, path: Path) -> bytes | None:
        found = self.text.strip()
        for name in path:
            if not found.startswith(b"{"):
                return None
            try:
                inner = _fields(found).get(name)
            except _BROKEN:
                raise NoPageError("no JSON") from None
            if inner is None:
                return None
            found = bytes(inner).strip()
        return found


def _lists(text: bytes, path: Path) -> Iterator[Path]:
    found = text.strip()
    if found.startswith(b"[") and found[1:].lstrip().startswith((b"{", b"]")):
        yield path
    elif found.startswith(b"{") and len(path) < _DEEPEST:
        try:
            inner = _fields(found)
        except _BROKEN:
            return
        for name, value in inner.items():
            yield from _lists(bytes(value), (*path, name))
