"""A document database during a run: one connection of the driver; executors that read have their own."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from lakehouse.errors import SourceError, suggest
from lakehouse.sources.documents.client import Documents, connect
from lakehouse.sources.documents.options import Options
from lakehouse.sources.documents.reader import DocumentsReader
from lakehouse.sources.documents.schema import kind_of_cursor, likely_relation, relation_of
from lakehouse.sources.documents.settings import Settings
from lakehouse.sources.opening import Followed
from lakehouse.sources.reader import Horizon, Wanted
from lakehouse.sources.relation import CursorKind, SourceRelation

#: So many documents say what a collection is like.
_SAMPLE = 2_000
_KINDS = {"timestamp": CursorKind.MOMENT, "bigint": CursorKind.INTEGER}


@contextmanager
def opened(name: str, source: Settings, followed: Collection[Followed]) -> Iterator["DocumentsSession"]:
    """Source ``name``; there is no snapshot to take, and nothing is known of documents on their way."""
    del name, followed
    with connect(source) as client:
        yield DocumentsSession(source, client)


class DocumentsSession:
    """See :class:`lakehouse.sources.reader.Session`."""

    one_moment = False
    reads_in_threads = False

    def __init__(self, source: Settings, client: Documents) -> None:
        self._source, self._client = source, client
        self.taken_at = client.now()
        self.horizon = Horizon(self.taken_at, self.taken_at, has_transactions=False)
        self.parallelism = source.parallelism

    def relations(self, schema: str | None = None) -> list[str]:
        """The collections of the profile's database; of another one none."""
        return self._client.collections() if schema in (None, self._source.database) else []

    def describe(self, relation: str) -> SourceRelation:
        """What some of its documents are like."""
        self._check(Wanted(relation, doing=f"describing {relation}"))
        return likely_relation(self._name(relation), self._client.sample(relation, _SAMPLE))

    @contextmanager
    def reader(self, wanted: Wanted) -> Iterator[DocumentsReader]:
        """See :class:`lakehouse.sources.reader.Session`. No zone is asked for: a date of a document is UTC.

        Raises:
            SourceError: the collection is not there (one that was loaded may be empty), the options say what there is not, or
                two ids are the same text: raw would take their documents for one.
        """
        options = Options.said(wanted.options, wanted.doing)
        self._check(wanted)
        if types := self._client.types_with_one_text(wanted.relation):
            raise SourceError(
                f"{wanted.doing}: {self._name(wanted.relation)} has two documents whose `_id` is the same text, one a "
                f"{types[0]}, one a {types[1]}; expected texts that tell documents apart, since they are raw's key.",
                remedy="Give one of them another `_id` at the source.",
            )
        relation, shape = relation_of(self._name(wanted.relation), wanted, self._kind(wanted, options))
        yield DocumentsReader(relation, wanted.relation, shape, self._source, self._client, wanted.doing)

    def _kind(self, wanted: Wanted, options: Options) -> CursorKind | None:
        if wanted.cursor is None:
            return None
        if options.cursor_type is not None:
            return _KINDS[options.cursor_type]
        return kind_of_cursor(self._client.sample(wanted.relation, _SAMPLE), wanted.cursor)

    def _check(self, wanted: Wanted) -> None:
        is_there = self._client.has(wanted.relation)
        if is_there or (is_there is None and wanted.is_loaded):
            return
        try:
            known = suggest(wanted.relation, self._client.collections())
        except SourceError:
            known = "It does not list those that it has."
        raise SourceError(
            f"{wanted.doing}: {self._source.where} has no collection {wanted.relation!r}"
            f"{', or no document in it' if is_there is None else ''}. {known}",
            remedy="Correct `relation` in the registry file.",
        )

    def _name(self, collection: str) -> str:
        return f"{self._source.database}.{collection}"
