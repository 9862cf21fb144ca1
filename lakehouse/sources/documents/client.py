"""What a client of a document database can: the thin edge behind which MongoDB and Firestore stand."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from lakehouse.errors import SourceError
from lakehouse.sources.documents.settings import Settings
from lakehouse.sources.reader import Bound

#: A document by field; values as :mod:`lakehouse.sources.documents.values` takes them. Its id is the field :data:`ID`.
Document = Mapping[str, Any]
ID = "_id"


@dataclass(frozen=True)
class Range:
    """Some of a collection's ids. All of them where ``kind`` is ``None``.

    Attributes:
        kind: those that the client orders among each other: a group of types, by the client's own name.
        lower: the first one; ``None``: from the beginning of the kind.
        upper: the first one that is not of the range; ``None``: to the end of the kind.
        is_rest: those of every other kind instead.
    """

    kind: str | None = None
    lower: Any = None
    upper: Any = None
    is_rest: bool = False


@dataclass(frozen=True)
class Asked:
    """Which documents of a collection are read.

    Attributes:
        range: by id.
        bound: by the field that ``bound.cursor`` names at the source, as the client's ``find`` says; ``None``: all.
        ids: those whose ids have these texts; ``None``: all. A range and a bound do not count beside them.
    """

    range: Range = Range()
    bound: Bound | None = None
    ids: Collection[str | None] | None = None


class Documents(Protocol):
    """A connection to a document database. Threads may share it."""

    def collections(self) -> list[str]:
        """The collections' names, sorted."""
        ...

    def has(self, collection: str) -> bool | None:
        """Whether there is such a collection; ``None`` where it has no document, and the database knows no empty ones."""
        ...

    def now(self) -> datetime:
        """UTC, by the server's clock where it tells it."""
        ...

    def sample(self, collection: str, most: int) -> Sequence[Document]:
        """Some documents, first and last ones: the same as long as nothing changes."""
        ...

    def ranges(self, collection: str, most: int) -> Sequence[Range]:
        """At most about ``most`` ranges of about the same size; each document is in just one."""
        ...

    def find(self, collection: str, asked: Asked, fields: Collection[str] | None) -> Iterator[Sequence[Document]]:
        """The documents asked for, a batch at a time: their id and ``fields``, everything when absent.

        With a bound, those whose cursor is of another type than the bound, or is not there, come always: types are compared
        apart, and a value that cannot be compared may be new.

        Raises:
            SourceUnavailableError: the server is away; trying again may help.
            SourceError: the server refused.
        """
        ...

    def types_with_one_text(self, collection: str) -> tuple[str, str] | None:
        """The types of two ids that are the same text; ``None`` where there are none."""
        ...


def connect(source: Settings, doing: str = "") -> AbstractContextManager[Documents]:
    """A connection by the client that the profile names, closed at the end.

    Raises:
        SourceUnavailableError: no server answers in time.
        SourceError: wrong credentials, or settings that contradict each other.
    """
    match source.client:
        case "mongodb":
            from lakehouse.sources.documents import mongodb  # noqa: PLC0415  (only the client that is used is loaded)

            return mongodb.connected(source, doing)
        case "firestore":
            try:
                from lakehouse.sources.documents import firestore  # noqa: PLC0415
            except ImportError:
                raise SourceError(
                    f"{source.where}: Google's client of Firestore is not installed; expected the extra `firestore`.",
                    remedy="Run `pip install 'lakehouse[firestore]'`, or `pip install google-cloud-firestore`.",
                ) from None
            return firestore.connected(source, doing)
    raise SourceError(
        f"{source.where}: there is no client {source.client!r}.", remedy="Correct `client` in the profile."
    )
