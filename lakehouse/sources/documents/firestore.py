"""Cloud Firestore, by Google's own client.

Firestore compares types apart, and no filter finds a document without the field. So a read by bound asks type by type for those
whose cursor is of another type, and does not bring those that have none, or a reference to a document or a vector there: they
are found as new when keys are compared, and a later change of them is not seen. A collection is read as one range; its ids are
texts.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from math import inf, nan
from typing import Any

from google.cloud.firestore import Client, CollectionReference, DocumentReference, FieldFilter, GeoPoint, Query
from google.cloud.firestore_v1.field_path import FieldPath
from google.cloud.firestore_v1.vector import Vector

from lakehouse.sources.documents.client import ID, Asked, Document, Range
from lakehouse.sources.documents.firestore_connection import opened, patience, translated
from lakehouse.sources.documents.rows import inside
from lakehouse.sources.documents.settings import Settings
from lakehouse.sources.reader import Bound

#: Filters that together find each value of a type, by the type: an operator and what it compares with. Whole numbers and
#: others are one type to Firestore; the emulator has them apart.
_OF_TYPE: Mapping[str, Sequence[tuple[str, Any]]] = {
    "null": [("==", None)],
    "boolean": [("in", [True, False])],
    "number": [("==", nan), (">=", -inf), (">=", 1 - 2**53)],
    "moment": [(">=", datetime(1, 1, 1, tzinfo=UTC))],
    "text": [(">=", "")],
    "bytes": [(">=", b"")],
    "place": [(">=", GeoPoint(-90, -180))],
    "array": [(">=", [])],
    "map": [(">=", {})],
}


@contextmanager
def connected(source: Settings, doing: str = "") -> Iterator["FirestoreDocuments"]:
    """See :func:`lakehouse.sources.documents.client.connect`."""
    with opened(source, doing) as client:
        yield FirestoreDocuments(client, source, doing)


class FirestoreDocuments:
    """See :class:`lakehouse.sources.documents.client.Documents`."""

    def __init__(self, client: Client, source: Settings, doing: str = "") -> None:
        self._client, self._source, self._doing = client, source, doing
        self._waiting: dict[str, Any] = {"retry": patience(source), "timeout": source.request_timeout_s}

    def collections(self) -> list[str]:
        """The collections at the top; those inside of documents are not listed."""
        with translated(self._source, self._doing):
            return sorted(found.id for found in self._client.collections(**self._waiting))

    def has(self, collection: str) -> bool | None:
        """``None`` where no document is in it: to Firestore there is no empty collection."""
        return bool(self.sample(collection, 1)) or None

    def now(self) -> datetime:
        return datetime.now(UTC)

    def sample(self, collection: str, most: int) -> list[Document]:
        with translated(self._source, self._doing):
            return [_document(found) for found in self._stream(self._there(collection).limit(most))]

    def ranges(self, collection: str, most: int) -> list[Range]:
        """All of it."""
        del collection, most
        return [Range()]

    def types_with_one_text(self, collection: str) -> None:
        """Ids are texts."""
        del collection

    def find(self, collection: str, asked: Asked, fields: Collection[str] | None) -> Iterator[Sequence[Document]]:
        """See :class:`lakehouse.sources.documents.client.Documents`, and this module of documents without a cursor."""
        with translated(self._source, self._doing):
            found = map(_document, self._found(self._there(collection), asked, fields))
            while batch := list(islice(found, self._source.batch_size)):
                yield batch

    def _found(self, there: CollectionReference, asked: Asked, fields: Collection[str] | None) -> Iterator[Any]:
        paths = None if fields is None else [FieldPath(name).to_api_repr() for name in fields if name != ID]
        if asked.ids is not None:
            yield from self._of_ids(there, asked.ids, paths)
            return
        wanted = there if paths is None else there.select(paths)
        bound = asked.bound
        if bound is None or (bound.lower is None and bound.upper is None):
            yield from self._stream(wanted)
            return
        seen = set[str]()  # a document whose cursor changes its type meanwhile would be found twice
        for found in self._within(wanted, bound):
            if found.id not in seen:
                seen.add(found.id)
                yield found

    def _within(self, wanted: Query | CollectionReference, bound: Bound) -> Iterator[Any]:
        """The documents within ``bound``, and those whose cursor is of another type."""
        path = tuple(bound.cursor.split("."))
        field = FieldPath(*path).to_api_repr()
        query = wanted
        for sign, value in ((">=", bound.lower), ("<", bound.upper)):
            query = query if value is None else query.where(filter=FieldFilter(field, sign, value))
        yield from self._stream(query)
        is_number = isinstance(bound.lower if bound.lower is not None else bound.upper, int)
        kind, alike = ("number", int | float) if is_number else ("moment", datetime)
        for sign, value in (one for other, filters in _OF_TYPE.items() if other != kind for one in filters):
            for found in self._stream(wanted.where(filter=FieldFilter(field, sign, value))):
                cursor = inside(found.to_dict(), path)
                if isinstance(cursor, bool) or not isinstance(cursor, alike):  # the emulator finds all for null
                    yield found

    def _of_ids(
        self, there: CollectionReference, ids: Collection[str | None], paths: list[str] | None
    ) -> Iterator[Any]:
        wanted = iter([there.document(name) for name in ids if name])
        while some := list(islice(wanted, self._source.batch_size)):
            found = self._client.get_all(some, field_paths=paths, **self._waiting)
            yield from (one for one in found if one.exists)

    def _stream(self, query: Query | CollectionReference) -> Iterator[Any]:
        return iter(query.stream(**self._waiting))

    def _there(self, collection: str) -> CollectionReference:
        return self._client.collection(*collection.split("/"))


def _document(found: Any) -> dict[str, Any]:
    return {**{name: _plain(value) for name, value in found.to_dict().items()}, ID: found.id}


def _plain(value: Any) -> Any:
    """A value as :mod:`lakehouse.sources.documents.values` takes it: a place as an object, a document as its path."""
    if isinstance(value, GeoPoint):
        return {"latitude": value.latitude, "longitude": value.longitude}
    if isinstance(value, DocumentReference):
        return value.path
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | Vector):
        return [_plain(inner) for inner in value]
    return value
