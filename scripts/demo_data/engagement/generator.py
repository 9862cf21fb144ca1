"""Fills the sources of the domain `engagement`, and plays one more day. What it makes, a seed and a scale decide."""

import uuid
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from scripts.demo_data.engagement import behaviour, people
from scripts.demo_data.engagement.people import Row
from scripts.demo_data.engagement.schema import CASSANDRA, POSTGRES
from scripts.demo_data.engagement.stores import copy_rows, delete_rows, insert_rows

FIRST_DAY = datetime(2026, 10, 1, tzinfo=UTC)
DAYS = 30
_USERS, _GROUPS, _ACTIVITIES = 3_000, 120, 4_000


def create_schema(postgres: Any, cassandra: Any, keyspace: str = "engagement") -> None:
    """Make the tables of both sources, where they are not there yet."""
    with postgres.cursor() as cursor:
        cursor.execute(POSTGRES)
    for statement in CASSANDRA:
        cassandra.execute(statement.format(keyspace=keyspace))


def is_empty(postgres: Any) -> bool:
    """Whether nothing was loaded yet."""
    with postgres.cursor() as cursor:
        cursor.execute("SELECT NOT EXISTS (SELECT FROM users)")
        return bool(cursor.fetchone()[0])


def history(seed: int, scale: float) -> dict[str, list[Row]]:
    """All rows of the first thirty days, by table."""
    random = Random(seed)
    days = [FIRST_DAY + timedelta(days=number) for number in range(DAYS)]
    users = people.users(random, int(_USERS * scale), FIRST_DAY)
    groups = [
        people.group(random, FIRST_DAY - timedelta(days=random.randint(1, 400)))
        for _ in range(max(3, int(_GROUPS * scale)))
    ]
    rows: dict[str, list[Row]] = {
        "users": users,
        "groups": groups,
        "groups_users_user": people.memberships(random, groups, users),
        "activities": list(people.activities(random, int(_ACTIVITIES * scale), groups, users, days)),
    }
    for day in days:
        for table, found in behaviour.play(random, day, users, groups).tables().items():
            rows.setdefault(table, []).extend(found)
    return rows


def load(postgres: Any, cassandra: Any, scale: float, seed: int, keyspace: str = "engagement") -> dict[str, int]:
    """Fill empty sources; returns the number of rows by table."""
    rows = history(seed, scale)
    for table, found in rows.items():
        if table in behaviour.Day().tables() and table != "notification_states":
            insert_rows(cassandra, keyspace, table, found)
        else:
            copy_rows(postgres, table, found)
    with postgres.cursor() as cursor:
        cursor.execute("ANALYZE")
    return {table: len(found) for table, found in rows.items()}


def play_day(postgres: Any, cassandra: Any, seed: int, keyspace: str = "engagement") -> datetime:
    """One more day: new rows, changed rows, rows that come late, and rows deleted at the source. Returns the day."""
    with postgres.cursor() as cursor:
        day = _next_day(cursor)
        random = Random(f"{seed} {day:%F}")
        users, groups = _read(cursor, "users"), _read(cursor, "groups")
        newcomers = [people.user(random, people.moment(random, day)) for _ in range(max(1, len(users) // 100))]
        copy_rows(postgres, "users", newcomers)
        copy_rows(postgres, "groups", [people.group(random, people.moment(random, day))])
        copy_rows(
            postgres,
            "groups_users_user",
            [{"groups_id": random.choice(groups)["id"], "users_id": user["id"]} for user in newcomers],
        )
        copy_rows(
            postgres, "activities", list(people.activities(random, max(3, len(users) // 40), groups, users, [day]))
        )
        _change(cursor, random, day, users, groups)
        _delete(cursor, random)
    _play_cassandra(postgres, cassandra, keyspace, random, day, users + newcomers, groups)
    return day


def _next_day(cursor: Any) -> datetime:
    """The day after the last stamp of a change."""
    cursor.execute(
        "SELECT max(updated_at) FROM (SELECT max(updated_at) FROM groups UNION ALL"
        " SELECT max(updated_at) FROM notification_states) AS stamps(updated_at)"
    )
    last = cursor.fetchone()[0].astimezone(UTC)
    return max(
        last.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1), FIRST_DAY + timedelta(days=DAYS)
    )


def _play_cassandra(
    postgres: Any, cassandra: Any, keyspace: str, random: Random, day: datetime, users: list[Row], groups: list[Row]
) -> None:
    today = behaviour.play(random, day, users, groups)
    few = random.sample(users, max(5, len(users) // 50))
    late = behaviour.play(random, day - timedelta(days=random.randint(1, 2)), few, groups)
    for found in (today, late):
        tables = found.tables()
        copy_rows(
            postgres,
            "notification_states",
            [row | {"updated_at": max(row["updated_at"], day)} for row in tables.pop("notification_states")],
        )
        for table, rows in tables.items():
            written = [
                row | {"modified_at": max(row["modified_at"], day + timedelta(milliseconds=1))}
                if table == "user_notifications"
                else row
                for row in rows
            ]  # modified_at is when it was written
            insert_rows(cassandra, keyspace, table, written)
    moved = random.sample(list(cassandra.execute(f"SELECT * FROM {keyspace}.user_notifications LIMIT 2000")), 40)
    insert_rows(
        cassandra,
        keyspace,
        "user_notifications",
        [
            row._asdict() | {"state": random.choice(behaviour.STATES), "modified_at": people.moment(random, day)}
            for row in moved
        ],
    )
    for table in ("group_messages", "user_purchases", "user_session_events"):
        rows = random.sample(list(cassandra.execute(f"SELECT * FROM {keyspace}.{table} LIMIT 1000")), 10)
        delete_rows(cassandra, keyspace, table, [row._asdict() for row in rows])


def _change(cursor: Any, random: Random, day: datetime, users: list[Row], groups: list[Row]) -> None:
    """Users change their names and addresses (good ones become malformed, malformed ones good), groups their names,
    activities their status, notifications their state."""
    for user in random.sample(users, max(5, len(users) // 60)):
        address = random.choice((f"moved{random.getrandbits(32):08x}@example.org", "not an address", None))
        cursor.execute(
            "UPDATE users SET email = %s, last_name = %s, updated_at = %s WHERE id = %s",
            (address, random.choice(("Ødegård", "Smith", "de la Cruz")), people.moment(random, day), str(user["id"])),
        )
    cursor.execute(
        "UPDATE users SET email = 'mended' || left(id::text, 8) || '@example.com', updated_at = %s"
        " WHERE id IN (SELECT id FROM users WHERE email NOT LIKE '%%@%%.%%' ORDER BY id LIMIT 5)",
        (people.moment(random, day),),
    )
    for group in random.sample(groups, 3):
        cursor.execute(
            "UPDATE groups SET name = name || ' (new)', updated_at = %s WHERE id = %s",
            (people.moment(random, day), str(group["id"])),
        )
    cursor.execute(
        "UPDATE activities SET status = 'done' WHERE id IN (SELECT id FROM activities"
        " WHERE status <> 'done' ORDER BY id LIMIT 25)"
    )
    cursor.execute(
        "UPDATE notification_states SET status = 'clicked', updated_at = %s WHERE id IN"
        " (SELECT id FROM notification_states WHERE status = 'sent' ORDER BY id LIMIT 30)",
        (people.moment(random, day).replace(microsecond=7),),
    )


def _delete(cursor: Any, random: Random) -> None:
    for table, key, count in (
        ("users", "id", 5),
        ("activities", "id", 10),
        ("notification_states", "id", 15),
        ("groups_users_user", "users_id", 8),
    ):
        cursor.execute(
            f"DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM {table} ORDER BY md5({key}::text || %s)"
            f" LIMIT {count})",
            (str(random.random()),),
        )


def _read(cursor: Any, table: str) -> list[Row]:
    cursor.execute(f"SELECT id FROM {table} ORDER BY id")
    return [{"id": uuid.UUID(row[0])} for row in cursor.fetchall()]
