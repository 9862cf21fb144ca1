"""What a live source has: its relations, and what each is like."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from psycopg2.extensions import connection as Connection

from lakehouse.errors import SourceError, suggest
from lakehouse.raw.cassandra import options
from lakehouse.settings import CassandraSource, PostgresSource
from lakehouse.sources.cassandra import connection as cassandra
from lakehouse.sources.cassandra import schema as keyspaces
from lakehouse.sources.postgres import connection as postgres
from lakehouse.sources.postgres import describe as catalog
from lakehouse.sources.relation import SourceRelation


class Session(Protocol):
    """A source that is connected to."""

    def relations(self, schema: str | None) -> list[str]:
        """The relations of ``schema``, or of the source's own where it is ``None``, as a registry file spells them.

        Raises:
            SourceError: there is no such schema, or nothing in it may be read.
        """

    def describe(self, relation: str) -> SourceRelation:
        """What ``relation`` is like; :class:`SourceError` where it is not there."""


@contextmanager
def opened(name: str, source: PostgresSource | CassandraSource) -> Iterator[Session]:
    """A session on source ``name`` of the profile.

    Raises:
        SourceUnavailableError: nothing answers there.
        SourceError: it answers, and refuses.
    """
    if isinstance(source, PostgresSource):
        with postgres.connect(name, source) as connection:
            yield _Postgres(name, connection, source.timezone)
    else:
        reach = options(source)
        with cassandra.connect(reach) as session:
            yield _Cassandra(name, session, reach.keyspace)


@dataclass(frozen=True)
class _Postgres:
    name: str
    connection: Connection
    timezone: str

    def relations(self, schema: str | None) -> list[str]:
        return catalog.relations(self.connection, schema or "public", f"source {self.name!r}")

    def describe(self, relation: str) -> SourceRelation:
        return catalog.describe(self.connection, relation, self.timezone, f"scaffolding {relation}").relation


@dataclass(frozen=True)
class _Cassandra:
    name: str
    session: Any
    keyspace: str

    def relations(self, schema: str | None) -> list[str]:
        if schema not in (None, self.keyspace):
            raise SourceError(
                f"source {self.name!r} is the keyspace {self.keyspace!r}, not {schema!r}. {suggest(schema, [self.keyspace])}",
                remedy="Leave --schema out, or add a source for the other keyspace to the profile.",
            )
        return keyspaces.tables(self.session, self.keyspace)

    def describe(self, relation: str) -> SourceRelation:
        return keyspaces.describe(self.session, self.keyspace, relation).relation
