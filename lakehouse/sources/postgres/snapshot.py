"""One consistent view of a PostgreSQL database for all tables of a run, and how far back the next run must look.

A row is stamped when its transaction begins and becomes visible when it commits. So the highest cursor seen says
nothing of the rows that were on their way. The *horizon* does: no transaction that was invisible to the snapshot
began before it. It is asked for *before* the snapshot is taken: whatever commits in between is either visible to the
snapshot, or began after the horizon, or was seen open.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from psycopg2.extensions import connection as Connection

from lakehouse.sources.postgres.connection import SESSION_SETTINGS, connect, translated
from lakehouse.sources.postgres.quoting import quote_literal
from lakehouse.sources.postgres.settings import Settings
from lakehouse.sources.reader import Horizon

log = structlog.get_logger()

#: Between the moment that stamps a row and the one that shows its transaction to others lie microseconds.
GUARD = timedelta(seconds=1)

_SEES_ALL = "SELECT pg_has_role('pg_read_all_stats', 'USAGE')"
_OPEN = """
SELECT clock_timestamp(), min(xact_start) FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
   AND backend_type <> 'autovacuum worker'
"""
_PREPARED = "SELECT array_agg(gid ORDER BY prepared) FROM pg_prepared_xacts WHERE database = current_database()"


@dataclass(frozen=True)
class Snapshot:
    """An exported snapshot.

    Attributes:
        identifier: what ``SET TRANSACTION SNAPSHOT`` takes.
        taken_at: UTC, by the source's clock; all that committed before it is visible.
    """

    name: str
    source: Settings
    identifier: str
    taken_at: datetime
    horizon: Horizon

    def statements(self) -> tuple[str, ...]:
        """What a session executes, outside a transaction, to see what this snapshot sees."""
        return (
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            f"SET TRANSACTION SNAPSHOT {quote_literal(self.identifier)}",
        )

    @property
    def setup(self) -> tuple[str, ...]:
        """What a new connection executes before it reads by this snapshot."""
        return (*SESSION_SETTINGS, *self.statements())

    @contextmanager
    def session(self) -> Iterator[Connection]:
        """A connection of its own that sees this snapshot."""
        with connect(self.name, self.source) as connection, translated(self.name, self.source):
            with connection.cursor() as cursor:
                for statement in self.statements():
                    cursor.execute(statement)
            yield connection


@contextmanager
def exported_snapshot(name: str, source: Settings) -> Iterator[Snapshot]:
    """A snapshot of source ``name`` that lives until the end of the block."""
    with connect(name, source) as connection, translated(name, source):
        horizon = _horizon(connection, name, source)
        with connection.cursor() as cursor:
            # The server must not end the session that holds the snapshot while others read by it.
            cursor.execute(
                "SELECT name FROM pg_settings WHERE name IN ('idle_in_transaction_session_timeout',"
                " 'transaction_timeout', 'idle_session_timeout')"
            )
            for (setting,) in cursor.fetchall():
                cursor.execute(f"SET {setting} = 0")
            cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            cursor.execute("SELECT pg_export_snapshot(), clock_timestamp()")
            row = cursor.fetchone()
        assert row is not None
        yield Snapshot(name, source, row[0], row[1].astimezone(UTC), horizon)


def _horizon(connection: Connection, name: str, source: Settings) -> Horizon:
    with connection.cursor() as cursor:
        cursor.execute(_SEES_ALL)
        sees_all = cursor.fetchone() == (True,)
        cursor.execute(_OPEN)
        row = cursor.fetchone()
        assert row is not None
        now, oldest = row
        cursor.execute(_PREPARED)
        prepared = cursor.fetchone()
    at = min(now, oldest or now) - GUARD
    if not sees_all:
        overlap = timedelta(seconds=source.late_commit_overlap_s)
        log.warning(
            "late commits may be missed",
            source=name,
            role=source.user,
            overlap_s=source.late_commit_overlap_s,
            reason="the role may not see other sessions' transactions, so each load looks back by the overlap; "
            "a row of a transaction that stays open for longer is missed",
            remedy=f"GRANT pg_read_all_stats TO {source.user}",
        )
        at = min(at, now - overlap)
    return Horizon(
        at.astimezone(UTC), now.astimezone(UTC), GUARD, prepared=tuple((prepared[0] if prepared else None) or ())
    )
