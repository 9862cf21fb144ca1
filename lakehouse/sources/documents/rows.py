"""Documents as Arrow: each declared field as text, the cursor typed, and what nobody declared as JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
from bson.datetime_ms import DatetimeMS

from lakehouse.sources.documents.client import ID, Document
from lakehouse.sources.documents.values import FIRST_MS, LAST_MS, id_text, json_of, microseconds, milliseconds, text_of
from lakehouse.sources.reader import MISFITS
from lakehouse.sources.records import OTHERS
from lakehouse.sources.relation import CursorKind

Path = tuple[str, ...]
#: What is inside of a field that is read by its parts; nothing, where it is read as a whole.
Tree = Mapping[str, "Tree"]
_MOST, _LEAST = 2**63 - 1, -(2**63)


@dataclass(frozen=True)
class Shape:
    """What columns a document becomes.

    Attributes:
        paths: where in a document each column's value stands, by lake name: ``(store, city)`` for ``store.city``.
        cursor: the lake name of the column that is typed, a moment (UTC) or a whole number; the others are text.
        kind: of the cursor.
    """

    paths: Mapping[str, Path]
    cursor: str | None = None
    kind: CursorKind | None = None

    def fields(self, columns: Sequence[str]) -> list[str] | None:
        """The fields of a document that ``columns`` (lake names) need; ``None``: all."""
        if OTHERS in columns:
            return None
        return sorted({self.paths[name][0] for name in columns})

    def batch(self, documents: Sequence[Document], columns: Sequence[str]) -> pa.RecordBatch:
        """``columns``, and :data:`MISFITS` with the cursor's text where it is neither null nor of its type."""
        arrays = {name: self._column(name, documents) for name in columns}
        arrays[MISFITS] = self._misfits(documents, arrays.get(self.cursor or ""))
        return pa.RecordBatch.from_pydict(arrays)

    def _column(self, name: str, documents: Sequence[Document]) -> pa.Array:
        if name == OTHERS:
            known = _tree(self.paths.values())
            return pa.array([_others(document, known) for document in documents], pa.string())
        path = self.paths[name]
        values = [inside(document, path) for document in documents]
        if name == self.cursor:
            if self.kind is CursorKind.INTEGER:
                return pa.array([_whole(value) for value in values], pa.int64())
            moments = [_microseconds(value) for value in values]
            return pa.array(moments, pa.int64()).cast(pa.timestamp("us", "UTC"))
        text = id_text if path == (ID,) else text_of
        return pa.array([text(value) for value in values], pa.string())

    def _misfits(self, documents: Sequence[Document], typed: pa.Array | None) -> pa.Array:
        if self.cursor is None or typed is None or not typed.null_count:
            return pa.nulls(len(documents), pa.string())
        path, said = self.paths[self.cursor], []
        for document, is_typed in zip(documents, typed.is_valid().to_pylist(), strict=True):
            text = None if is_typed else text_of(inside(document, path))
            said.append(None if text is None else json.dumps({self.cursor: text}, ensure_ascii=False))
        return pa.array(said, pa.string())


def inside(document: Document, path: Path) -> Any:
    """The value at ``path``; ``None`` where there is none, or a field on the way is no object."""
    value: Any = document
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _whole(value: Any) -> int | None:
    """A whole number, as which a double counts that has no fraction: JavaScript writes such."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    is_whole = isinstance(value, int) and not isinstance(value, bool) and _LEAST <= value <= _MOST
    return int(value) if is_whole else None


def _microseconds(value: Any) -> int | None:
    if not isinstance(value, DatetimeMS | datetime):
        return None
    return microseconds(value) if FIRST_MS <= milliseconds(value) <= LAST_MS else None


def _tree(paths: Any) -> dict[str, Any]:
    """The fields that are read, and what is read of each by its parts."""
    found: dict[str, Any] = {}
    for path in sorted(paths, key=len, reverse=True):  # the shorter one last: it reads a field as a whole
        level = found
        for name in path[:-1]:
            level = level.setdefault(name, {})
        level[path[-1]] = {}
    return found


def _others(document: Document, known: Tree) -> str | None:
    others = {name: value for name, value in document.items() if not _is_read(value, known.get(name))}
    return json_of(others) if others else None


def _is_read(value: Any, parts: Tree | None) -> bool:
    """Whether the columns have all that a field holds."""
    if parts is None:
        return False
    if not parts:
        return True
    return isinstance(value, Mapping) and all(_is_read(inner, parts.get(name)) for name, inner in value.items())
