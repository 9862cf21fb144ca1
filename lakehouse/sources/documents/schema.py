"""What a collection is like: it says no columns itself, so the registry does, or some documents for a first contract."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bson.datetime_ms import DatetimeMS

from lakehouse.paths import column_name, column_names
from lakehouse.sources.documents.client import ID, Document
from lakehouse.sources.documents.rows import Shape, inside
from lakehouse.sources.documents.values import text_of
from lakehouse.sources.likely import likely_columns
from lakehouse.sources.reader import Wanted
from lakehouse.sources.records import OTHERS, OTHERS_COLUMN
from lakehouse.sources.relation import CursorKind, Likely, SourceColumn, SourceRelation

_TEXT = "any type, as text"
_ID = SourceColumn(ID, ID, "any type of id, as text", "string", nullable=False)
_TYPED = {
    CursorKind.MOMENT: ("date", "timestamp"),
    CursorKind.INTEGER: ("whole number", "bigint"),
}


def relation_of(name: str, wanted: Wanted, kind: CursorKind | None) -> tuple[SourceRelation, Shape]:
    """The relation that the registry wants of a collection, and how its documents become rows.

    Its columns: the id, the declared fields, the cursor, and :data:`OTHERS`.

    Args:
        name: for messages.
        kind: of the cursor; ``None`` where there is none.
    """
    columns: dict[str, SourceColumn] = {}
    for source in (ID, *wanted.columns, *((wanted.cursor,) if wanted.cursor else ())):
        if source == OTHERS or source in columns:
            continue
        is_declared = source in (ID, *wanted.columns)
        lake_name = wanted.names.get(source, source if is_declared else column_name(source))
        columns[source] = _column(source, lake_name, kind if source == wanted.cursor else None)
    paths = {column.name: _path(source) for source, column in columns.items()}
    cursor = columns[wanted.cursor].name if wanted.cursor else None
    key = (columns[ID].name,)
    return SourceRelation(name, (*columns.values(), OTHERS_COLUMN), key), Shape(paths, cursor, kind if cursor else None)


def _column(source: str, name: str, kind: CursorKind | None) -> SourceColumn:
    source_type, lake_type = _TYPED[kind] if kind else (_TEXT, "string")
    return SourceColumn(source, name, source_type, lake_type, nullable=source != ID, cursor=kind)


def _path(source: str) -> tuple[str, ...]:
    return tuple(source.split("."))


def kind_of_cursor(documents: Sequence[Document], source: str) -> CursorKind:
    """What most of the documents' cursors are; moments where that is undecided.

    Args:
        source: where the cursor stands in a document.
    """
    values = [inside(document, _path(source)) for document in documents]
    moments = sum(isinstance(value, DatetimeMS | datetime) for value in values)
    numbers = sum(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    return CursorKind.INTEGER if numbers > moments else CursorKind.MOMENT


def likely_relation(name: str, documents: Sequence[Document]) -> SourceRelation:
    """What some documents are like.

    A field of an object is a column, ``store.city``; one that holds only dates may be a cursor.
    """
    likely = likely_columns([_plain(document) for document in documents])
    sources = [source for source in likely if source != ID]
    names = column_names([ID, OTHERS, *sources])[2:]
    columns = [
        _likely(source, lake_name, likely[source], documents) for source, lake_name in zip(sources, names, strict=True)
    ]
    return SourceRelation(name, (_ID, *columns, OTHERS_COLUMN), (ID,))


def _likely(source: str, name: str, likely: Likely, documents: Sequence[Document]) -> SourceColumn:
    values = [value for document in documents if (value := inside(document, _path(source))) is not None]
    if values and all(isinstance(value, DatetimeMS | datetime) for value in values):
        return SourceColumn(source, name, "date", "timestamp", cursor=CursorKind.MOMENT, likely=Likely("timestamp"))
    return SourceColumn(source, name, _TEXT, "string", likely=likely)


def _plain(value: Mapping[str, Any]) -> dict[str, Any]:
    """A document whose values are objects, lists, whole numbers, booleans and texts."""
    return {
        name: _plain(inner) if isinstance(inner, Mapping) else inner if _is_plain(inner) else text_of(inner)
        for name, inner in value.items()
    }


def _is_plain(value: Any) -> bool:
    return isinstance(value, bool | int | list)
