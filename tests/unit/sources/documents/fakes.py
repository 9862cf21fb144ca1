"""A fake client of a document database: it holds documents in memory, and answers as the protocol asks."""

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from lakehouse.sources.documents.client import ID, Asked, Document, Range
from lakehouse.sources.documents.settings import Settings
from lakehouse.sources.documents.values import id_text

TAKEN_AT = datetime(2026, 3, 2, tzinfo=UTC)


class FakeDocuments:
    """Holds one collection, ``orders``; ids are whole numbers, in ranges of two.

    Attributes:
        asked: what was asked for, in order, with the fields.
        clash: the types of two ids that are the same text.
        of_the_missing: what it says of a collection that it does not hold; ``None``: that it may be empty.
    """

    def __init__(self, *documents: Document) -> None:
        self.documents = list(documents)
        self.asked: list[tuple[Asked, Collection[str] | None]] = []
        self.clash: tuple[str, str] | None = None
        self.of_the_missing: bool | None = False

    def collections(self) -> list[str]:
        return ["customers", "orders"]

    def has(self, collection: str) -> bool | None:
        return collection in self.collections() or self.of_the_missing

    def now(self) -> datetime:
        return TAKEN_AT

    def sample(self, collection: str, most: int) -> Sequence[Document]:
        return self.documents[:most]

    def ranges(self, collection: str, most: int) -> Sequence[Range]:
        edges = [None, *range(2, 2 * most, 2), None]
        return [Range("number", *edges[place : place + 2]) for place in range(most)]

    def find(self, collection: str, asked: Asked, fields: Collection[str] | None) -> Iterator[Sequence[Document]]:
        self.asked.append((asked, fields))
        found = [document for document in self.documents if _fits(document, asked)]
        if fields is not None:
            found = [{name: value for name, value in one.items() if name in {ID, *fields}} for one in found]
        yield from ([one] for one in found)

    def types_with_one_text(self, collection: str) -> tuple[str, str] | None:
        return self.clash


def _fits(document: Document, asked: Asked) -> bool:
    if asked.ids is not None:
        return id_text(document[ID]) in asked.ids
    ids, bound = asked.range, asked.bound
    if (ids.lower is not None and document[ID] < ids.lower) or (ids.upper is not None and document[ID] >= ids.upper):
        return False
    value = document.get(bound.cursor) if bound else None
    return bound is None or not isinstance(value, datetime) or bound.lower is None or value >= bound.lower  # type: ignore[operator]


def settings(**more: Any) -> Settings:
    return Settings.model_validate(
        {"type": "documents", "hosts": ("127.0.0.1",), "database": "app", "password": "secret-word", **more}
    )
