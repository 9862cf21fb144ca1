"""What a live source has: its relations, and what each is like."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from psycopg2.extensions import connection as Connection

from lakehouse.raw.cassandra import options
from lakehouse.settings import CassandraSource, PostgresSource
from lakehouse.sources.cassandra import connection as cassandra
from lakehouse.sources.cassandra import schema as keyspaces
from lakehouse.sources.postgres import connection as postgres
from lakehouse.sources.postgres import describe as catalog
from lakehouse.sources.relation import SourceRelation

_RELATIONS = """
SELECT format('%%I.%%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
   AND n.nspname NOT LIKE 'pg_toast%%' AND n.nspname NOT LIKE 'pg_temp%%'
   AND (%(schema)s::text IS NULL OR n.nspname = %(schema)s) AND NOT c.relispartition
 ORDER BY 1
"""


class Session(Protocol):
    """A source that is connected to."""

    def relations(self, schema: str | None = None) -> list[str]:
        """The relations of the source (of one schema), spelled as a registry file names them."""

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
            yield _Postgres(connection, source.timezone)
    else:
        reach = options(source)
        with cassandra.connect(reach) as session:
            yield _Cassandra(session, reach.keyspace)


@dataclass(frozen=True)
class _Postgres:
    connection: Connection
    timezone: str

    def relations(self, schema: str | None = None) -> list[str]:
        with self.connection.cursor() as cursor:
            cursor.execute(_RELATIONS, {"schema": schema})
            return [str(row[0]) for row in cursor.fetchall()]

    def describe(self, relation: str) -> SourceRelation:
        return catalog.describe(self.connection, relation, self.timezone, f"describing {relation}").relation


@dataclass(frozen=True)
class _Cassandra:
    session: Any
    keyspace: str

    def relations(self, schema: str | None = None) -> list[str]:
        known = self.session.cluster.metadata.keyspaces.get(schema or self.keyspace)
        names = sorted(known.tables) if known else []
        return [name if name == name.lower() else keyspaces.quote_name(name) for name in names]

    def describe(self, relation: str) -> SourceRelation:
        return keyspaces.describe(self.session, self.keyspace, relation).relation
