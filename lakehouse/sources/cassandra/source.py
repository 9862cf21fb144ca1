"""Cassandra during a run: one connection of the driver; executors that read have their own."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from lakehouse.sources.cassandra.connection import connect, translated
from lakehouse.sources.cassandra.reader import CassandraReader
from lakehouse.sources.cassandra.schema import describe, tables
from lakehouse.sources.cassandra.settings import Settings
from lakehouse.sources.opening import Followed
from lakehouse.sources.reader import Horizon, Wanted
from lakehouse.sources.relation import SourceRelation


@contextmanager
def opened(name: str, source: Settings, followed: Collection[Followed]) -> Iterator["CassandraSession"]:
    """Source ``name``; there is no snapshot to take, and nothing is known of rows on their way."""
    del name, followed
    with connect(source) as session:
        yield CassandraSession(source, session)


class CassandraSession:
    """See :class:`lakehouse.sources.reader.Session`."""

    one_moment = False
    reads_in_threads = True

    def __init__(self, source: Settings, session: Any) -> None:
        self._source, self._session = source, session
        self.taken_at = datetime.now(UTC)
        self.horizon = Horizon(self.taken_at, self.taken_at, has_transactions=False)
        self.parallelism = source.parallelism

    def relations(self, schema: str | None = None) -> list[str]:
        """The tables of the keyspace ``schema``; of the profile's when absent."""
        with translated(self._source, "listing tables"):
            return tables(self._session, schema or self._source.keyspace)

    def describe(self, relation: str) -> SourceRelation:
        with translated(self._source, f"describing {relation}"):
            return describe(self._session, self._source.keyspace, relation).relation

    @contextmanager
    def reader(self, wanted: Wanted) -> Iterator[CassandraReader]:
        """See :class:`lakehouse.sources.reader.Session`. No zone is asked for: a moment of Cassandra is UTC."""
        wanted.refuse_options("Cassandra")
        with translated(self._source, wanted.doing):
            described = describe(self._session, self._source.keyspace, wanted.relation, wanted.names)
        yield CassandraReader(described, self._source, self._session, wanted.doing)
