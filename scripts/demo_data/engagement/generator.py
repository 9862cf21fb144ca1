"""Fills the sources of the domain `engagement`, and plays one more day. What it makes, a seed and a scale decide.

Example:
    >>> create_schema(postgres, cassandra)
    >>> load(postgres, cassandra, scale=0.1, seed=7)["users"]
    300
    >>> play_day(postgres, cassandra, seed=7)
    datetime.datetime(2026, 10, 31, 0, 0, tzinfo=datetime.timezone.utc)
"""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from scripts.demo_data.engagement import behaviour, changes, people, state
from scripts.demo_data.engagement.people import Row
from scripts.demo_data.engagement.schema import CASSANDRA, CASSANDRA_KEYS, POSTGRES, POSTGRES_KEYS
from scripts.demo_data.engagement.stores import copy_rows, delete_rows, insert_rows, remove_rows, update_rows

FIRST_DAY = datetime(2026, 10, 1, tzinfo=UTC)
DAYS = 30
_USERS, _GROUPS, _ACTIVITIES = 3_000, 120, 10_000


def create_schema(postgres: Any, cassandra: Any, keyspace: str = "engagement") -> None:
    """Make the tables of both sources, where they are not there yet."""
    with postgres.cursor() as cursor:
        cursor.execute(POSTGRES)
    postgres.commit()
    for statement in CASSANDRA:
        cassandra.execute(statement.format(keyspace=keyspace))


def is_empty(postgres: Any) -> bool:
    """Whether nothing was loaded yet."""
    with postgres.cursor() as cursor:
        cursor.execute("SELECT NOT EXISTS (SELECT FROM users)")
        return bool(cursor.fetchone()[0])


def history(seed: int, scale: float, start: datetime = FIRST_DAY) -> dict[str, list[Row]]:
    """All rows of the thirty days from ``start`` (midnight UTC) on, by table."""
    random = Random(seed)
    days = [start + timedelta(days=number) for number in range(DAYS)]
    users = people.users(random, max(1, int(_USERS * scale)), start)
    groups = [
        people.group(random, start - timedelta(days=random.randint(1, 400)))
        for _ in range(max(3, int(_GROUPS * scale)))
    ]
    rows: dict[str, list[Row]] = {
        "users": users,
        "groups": groups,
        "groups_users_user": people.memberships(random, groups, users),
        "activities": list(people.activities(random, max(1, int(_ACTIVITIES * scale)), groups, users, days)),
    }
    for day in days:
        for table, found in behaviour.play(random, day, users, groups).tables().items():
            rows.setdefault(table, []).extend(found)
    for _ in range(max(1, int(8 * scale))):
        begin = people.moment(random, random.choice(days[:-3]))
        rows["user_session_events"] += behaviour.abandoned_session(random, random.choice(users)["id"], begin)
    for row in rows["user_notifications"]:
        if random.random() < 0.01:
            row.update(state=None, modified_at=None)
    return rows


def load(
    postgres: Any,
    cassandra: Any,
    scale: float = 1,
    seed: int = 7,
    start: datetime = FIRST_DAY,
    keyspace: str = "engagement",
) -> dict[str, int]:
    """Fill empty sources with the thirty days from ``start`` on; returns the number of rows by table."""
    rows = history(seed, scale, start)
    for table in POSTGRES_KEYS:
        copy_rows(postgres, table, rows[table])
    with postgres.cursor() as cursor:
        cursor.execute("ANALYZE")
    postgres.commit()
    for table in CASSANDRA_KEYS:
        insert_rows(cassandra, keyspace, table, rows[table])
    return {table: len(found) for table, found in rows.items()}


def play_day(postgres: Any, cassandra: Any, seed: int = 7, keyspace: str = "engagement") -> datetime:
    """One more day: new rows, changed rows, rows that come late, and rows deleted at the source.

    Returns:
        The day, midnight UTC: the one after the last that the sources are stamped with.

    Raises:
        DataError: the sources are empty.
    """
    day = state.next_day(postgres)
    random = Random(f"{seed} {day:%F}")
    decided = changes.decide(random, state.read(postgres, cassandra, keyspace, day, random))
    for table in POSTGRES_KEYS:
        copy_rows(postgres, table, decided.inserts.get(table, []))
        update_rows(postgres, table, decided.updates.get(table, []))
        remove_rows(postgres, table, decided.deletes.get(table, []))
    postgres.commit()
    for table in CASSANDRA_KEYS:
        insert_rows(cassandra, keyspace, table, decided.inserts.get(table, []))
        insert_rows(cassandra, keyspace, table, decided.updates.get(table, []))
        delete_rows(cassandra, keyspace, table, decided.deletes.get(table, []))
    return day
