"""MongoDB, and what speaks its protocol, by pymongo."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice, pairwise
from typing import Any

from bson.codec_options import CodecOptions, DatetimeConversion
from pymongo import MongoClient
from pymongo.collection import Collection as MongoCollection
from pymongo.errors import OperationFailure

from lakehouse.sources.documents import filters
from lakehouse.sources.documents.client import ID, Asked, Document, Range
from lakehouse.sources.documents.connection import opened, translated
from lakehouse.sources.documents.filters import Filter
from lakehouse.sources.documents.settings import Settings
from lakehouse.sources.documents.values import id_text

#: A range of fewer documents is not worth a reader of its own.
_LEAST = 2_000
#: Moments as milliseconds, since there are some that Python has no date for; letters that are no UTF-8 stay visible.
_OPTIONS: CodecOptions[dict[str, Any]] = CodecOptions(
    datetime_conversion=DatetimeConversion.DATETIME_MS, unicode_decode_error_handler="backslashreplace"
)
#: Groups of types within which two ids never have one text.
_KINDS = {"string": ["string"], "objectId": ["objectId"], "whole number": ["int", "long"], "double": ["double"],
          "decimal": ["decimal"]}  # fmt: skip
_OTHER = "value of another type"


@contextmanager
def connected(source: Settings, doing: str = "") -> Iterator["MongoDocuments"]:
    """See :func:`lakehouse.sources.documents.client.connect`."""
    with opened(source, doing) as client:
        yield MongoDocuments(client, source, doing)


class MongoDocuments:
    """See :class:`lakehouse.sources.documents.client.Documents`."""

    def __init__(self, client: MongoClient[dict[str, Any]], source: Settings, doing: str = "") -> None:
        self._client, self._source, self._doing = client, source, doing
        self._database = client.get_database(source.database, codec_options=_OPTIONS)

    def collections(self) -> list[str]:
        with translated(self._source, self._doing):
            names = self._database.list_collection_names(authorizedCollections=True, nameOnly=True)
        return sorted(name for name in names if not name.startswith("system."))

    def has(self, collection: str) -> bool:
        return collection in self.collections()

    def now(self) -> datetime:
        """By the server's clock, where it knows the command ``hello``."""
        try:
            at = self._client.admin.command("hello")["localTime"]
        except (OperationFailure, KeyError):
            return datetime.now(UTC)
        return at.replace(tzinfo=UTC) if isinstance(at, datetime) else datetime.now(UTC)

    def sample(self, collection: str, most: int) -> list[Document]:
        """The first and the last ones by id."""
        with translated(self._source, self._doing):
            found = {}
            for direction in (1, -1):
                for document in self._database[collection].find().sort(ID, direction).limit(-(-most // 2)):
                    found[repr(document[ID])] = document
            return list(found.values())

    def ranges(self, collection: str, most: int) -> list[Range]:
        """Ranges of the kind of id that most documents have, by a sample, and a last one of all others."""
        there = self._database[collection]
        with translated(self._source, self._doing):
            count = there.estimated_document_count()
            wanted = min(most, -(-count // _LEAST))
            if wanted <= 1:
                return [Range()]
            kind = self._usual_kind(there)
            edges = [None, *self._edges(there, kind, wanted, count), None]
        found = [Range(kind, lower, upper) for lower, upper in pairwise(edges)]
        return [*found, Range(kind, is_rest=True)]

    def _usual_kind(self, there: MongoCollection[dict[str, Any]]) -> str:
        """The group of types that the id in the middle has: it orders most of them, or about as many as any other."""
        middle = there.estimated_document_count() // 2
        for document in there.find({}, {ID: 1}).sort(ID, 1).skip(middle).limit(1):
            for kind, types in filters.GROUPS.items():
                if there.find_one({"$and": [{ID: document[ID]}, {ID: {"$type": list(types)}}]}, {ID: 1}):
                    return kind
        return next(iter(filters.GROUPS))

    def _edges(self, there: MongoCollection[dict[str, Any]], kind: str, wanted: int, count: int) -> list[Any]:
        """The ids at which one range ends and the next begins: each step goes over keys of the index, and over no document."""
        found: list[Any] = []
        condition: Filter = filters.of_range(Range(kind))
        for _ in range(wanted - 1):
            step = there.find(condition, {ID: 1}).sort(ID, 1).skip(-(-count // wanted)).limit(1)
            edge = next((document[ID] for document in step), None)
            if edge is None:
                break
            found.append(edge)
            condition = filters.of_range(Range(kind, lower=edge))
        return found

    def find(self, collection: str, asked: Asked, fields: Collection[str] | None) -> Iterator[Sequence[Document]]:
        """In the order of ids where everything is read: that index shows each document once, whatever is changed meanwhile."""
        wanted = None if fields is None else dict.fromkeys([ID, *fields], 1)
        with translated(self._source, self._doing):
            for condition in _conditions(asked):
                found = self._database[collection].find(condition, wanted, batch_size=self._source.batch_size)
                if asked.bound is None and asked.ids is None:
                    found = found.sort(ID, 1)
                with found:
                    while batch := list(islice(found, self._source.batch_size)):
                        yield batch

    def types_with_one_text(self, collection: str) -> tuple[str, str] | None:
        """Reads the ids once, where they are of several types; else only asks which there are."""
        there = self._database[collection]
        with translated(self._source, self._doing):
            kinds: dict[str, Filter] = {name: {ID: {"$type": list(types)}} for name, types in _KINDS.items()}
            kinds[_OTHER] = {ID: {"$type": list(filters.OTHER_IDS)}}
            present = {name: kind for name, kind in kinds.items() if there.find_one(kind, {ID: 1}) is not None}
            if len(present) < 2 and _OTHER not in present:
                return None
            counts = {name: there.count_documents(kind) for name, kind in present.items()}
            return _first_clash(there, present, sorted(present, key=counts.__getitem__))


def _first_clash(
    there: MongoCollection[dict[str, Any]], kinds: Mapping[str, Filter], order: Sequence[str]
) -> tuple[str, str] | None:
    """The texts of all but the last, most frequent kind are kept in memory."""
    seen: dict[str | None, str] = {}
    for name in order:
        for document in there.find(kinds[name], {ID: 1}):
            text = id_text(document[ID])
            if text in seen:
                return seen[text], name
            if name != order[-1] or name not in _KINDS:
                seen[text] = name
    return None


def _conditions(asked: Asked) -> Iterator[Filter]:
    if asked.ids is not None:
        yield from filters.of_texts(asked.ids)
    else:
        yield filters.both(filters.of_range(asked.range), filters.of_bound(asked.bound))
