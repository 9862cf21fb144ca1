"""Reading sources for a run: every kind by the same two functions."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from lakehouse.iceberg.lake import Lake
from lakehouse.raw import cassandra, postgres
from lakehouse.raw.load import Loaded, Request
from lakehouse.registry.tables import SourceTable
from lakehouse.settings import CassandraSource, PostgresSource


@dataclass(frozen=True)
class SourceSession:
    """A source during a run; ``parallelism`` is how many of its tables are read at once."""

    parallelism: int
    opened: postgres.Source | CassandraSource


@contextmanager
def opened(
    name: str, source: PostgresSource | CassandraSource, tables: Sequence[SourceTable]
) -> Iterator[SourceSession]:
    """Source ``name`` with one session, and so one snapshot where it has any, for all of ``tables``."""
    if isinstance(source, PostgresSource):
        with postgres.opened(name, source, tables) as session:
            yield SourceSession(source.parallelism, session)
    else:
        yield SourceSession(8, source)


def ingest(table: SourceTable, session: SourceSession, lake: Lake, request: Request) -> Loaded:
    """Bring ``table`` into raw."""
    if isinstance(session.opened, postgres.Source):
        return postgres.ingest(table, session.opened, lake, request)
    return cassandra.ingest(table, session.opened, lake, request)
