"""PostgreSQL during a run: one exported snapshot that all tables, and all parts of one, are read by."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

from lakehouse.errors import SourceError
from lakehouse.sources.opening import Followed
from lakehouse.sources.postgres.connection import connect, translated
from lakehouse.sources.postgres.describe import describe, relations
from lakehouse.sources.postgres.quoting import quote_identifier
from lakehouse.sources.postgres.reader import PostgresReader
from lakehouse.sources.postgres.settings import Settings
from lakehouse.sources.postgres.snapshot import Snapshot, exported_snapshot
from lakehouse.sources.reader import Wanted
from lakehouse.sources.relation import CursorKind, SourceRelation

#: The highest visible value of integer columns, by relation (as the registry spells it) and column (source name).
Floors = Mapping[str, Mapping[str, int]]


@contextmanager
def opened(name: str, source: Settings, followed: Collection[Followed]) -> Iterator["PostgresSession"]:
    """Source ``name`` with one snapshot for all that is read of it."""
    floors = _floors(name, source, followed)
    with exported_snapshot(name, source) as snapshot:
        yield PostgresSession(snapshot, floors)


class PostgresSession:
    """See :class:`lakehouse.sources.reader.Session`."""

    one_moment = True
    reads_in_threads = True

    def __init__(self, snapshot: Snapshot, floors: Floors) -> None:
        self._snapshot, self._floors = snapshot, floors
        self.taken_at, self.horizon = snapshot.taken_at, snapshot.horizon
        self.parallelism = snapshot.source.parallelism

    def relations(self, schema: str | None = None) -> list[str]:
        with self._snapshot.session() as connection:
            return relations(connection, schema)

    def describe(self, relation: str) -> SourceRelation:
        with self._snapshot.session() as connection:
            return describe(connection, relation, self._snapshot.source.timezone, f"describing {relation}").relation

    @contextmanager
    def reader(self, wanted: Wanted) -> Iterator[PostgresReader]:
        wanted.refuse_options("PostgreSQL")
        zone = wanted.zone or self._snapshot.source.timezone
        relation, doing = wanted.relation, wanted.doing
        with self._snapshot.session() as connection:
            described = describe(connection, relation, zone, doing, wanted.names)
            yield PostgresReader(described, self._snapshot, connection, zone, self._floors.get(relation, {}), doing)


def _floors(name: str, source: Settings, followed: Collection[Followed]) -> Floors:
    """The highest visible value of each integer cursor, before the transactions are looked at.

    A relation that cannot be read has none: its own table says why, and no other table stops for it.
    """
    floors: dict[str, dict[str, int]] = {}
    if not followed:
        return floors
    with connect(name, source) as connection:
        for item in followed:
            try:
                with translated(name, source), connection.cursor() as cursor:
                    described = describe(connection, item.relation, source.timezone, "")
                    for column in described.relation.columns:
                        if item.cursor in (column.name, column.source_name) and column.cursor is CursorKind.INTEGER:
                            spelled = quote_identifier(column.source_name)
                            cursor.execute(f"SELECT max({spelled})::int8 FROM {described.sql}")
                            highest = (cursor.fetchone() or (None,))[0]
                            if highest is not None:
                                floors.setdefault(item.relation, {})[column.source_name] = int(highest)
            except SourceError:
                continue
    return floors
