"""Reading what the sources hold, as far as one more day needs it. The same sources and seed give the same answer."""

import uuid
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from psycopg2 import sql

from lakehouse.errors import DataError
from scripts.demo_data.engagement.changes import CASSANDRA_DELETES, State
from scripts.demo_data.engagement.people import Row
from scripts.demo_data.engagement.schema import CASSANDRA_KEYS, POSTGRES_KEYS

_LAST_STAMP = """
SELECT max(at) FROM (
    SELECT max(updated_at) AS at FROM users UNION ALL SELECT max(updated_at) FROM groups UNION ALL
    SELECT max(created_at) FROM activities UNION ALL SELECT max(updated_at) FROM notification_states) AS stamps
"""
_SAMPLED = ("groups_users_user", "activities", "notification_states")
_UUID = 2950  # PostgreSQL's number of the type
_LOWEST_TOKEN = -(2**63)


def next_day(postgres: Any) -> datetime:
    """The day after the last one that PostgreSQL's rows are stamped with; midnight UTC.

    Raises:
        DataError: there are no rows.
    """
    with postgres.cursor() as cursor:
        cursor.execute(_LAST_STAMP)
        (last,) = cursor.fetchone()
    if last is None:
        raise DataError(
            "playing one more day of `engagement`: the sources hold no rows to go on from.",
            remedy="Fill them first: python -m scripts.demo_data engagement load",
        )
    midnight: datetime = last.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(days=1)


def read(postgres: Any, cassandra: Any, keyspace: str, day: datetime, random: Random) -> State:
    """The state of both sources; what is read in part is drawn by lot."""
    with postgres.cursor() as cursor:
        users = _rows(cursor, "SELECT id, first_name, last_name, email FROM users ORDER BY id")
        groups = _rows(cursor, "SELECT id, name FROM groups ORDER BY id")
        wanted = max(30, len(users) // 10)
        samples = {table: _drawn(cursor, table, wanted, random) for table in _SAMPLED}
    for table in ("user_notifications", *CASSANDRA_DELETES):
        samples[table] = _drawn_from_cassandra(cassandra, keyspace, table, wanted, random)
    return State(day, users, groups, samples)


def _drawn(cursor: Any, table: str, wanted: int, random: Random) -> list[Row]:
    """At most ``wanted`` rows and a tenth of ``table``: so that what is deleted stays far from the lake's brake."""
    text = sql.SQL(" || ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in POSTGRES_KEYS[table])
    query = sql.SQL(
        "SELECT * FROM {table} ORDER BY md5({text} || %s) LIMIT least(%s, (SELECT count(*) FROM {table}) / 10)"
    )
    return _rows(cursor, query.format(table=sql.Identifier(table), text=text), (str(random.random()), wanted))


def _rows(cursor: Any, query: Any, arguments: tuple[Any, ...] = ()) -> list[Row]:
    cursor.execute(query, arguments)
    columns = [(column.name, column.type_code) for column in cursor.description]
    return [
        {
            name: uuid.UUID(value) if kind == _UUID and value else value
            for (name, kind), value in zip(columns, row, strict=True)
        }
        for row in cursor.fetchall()
    ]


def _drawn_from_cassandra(cassandra: Any, keyspace: str, table: str, wanted: int, random: Random) -> list[Row]:
    """At most ``wanted`` rows and a tenth of what is read: some thousand rows from a token on that is drawn."""
    partition = CASSANDRA_KEYS[table][0]
    query = cassandra.prepare(f"SELECT * FROM {keyspace}.{table} WHERE token({partition}) >= ? LIMIT ?")
    limit = 20 * wanted
    rows = list(cassandra.execute(query, (random.randrange(-(2**63), 2**63), limit)))
    if len(rows) < limit:  # round the ring; a row that comes twice is the same row
        rows += list(cassandra.execute(query, (_LOWEST_TOKEN, limit - len(rows))))
    found = {tuple(getattr(row, name) for name in CASSANDRA_KEYS[table]): row._asdict() for row in rows}
    return random.sample(list(found.values()), min(wanted, len(found) // 10))
