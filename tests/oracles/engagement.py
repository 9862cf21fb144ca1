"""What gold and silver of `engagement` must hold, asked of the sources directly, in plain Python.

It imports nothing of the engine: it is the arbiter between the two. Times are milliseconds since 1970-01-01 UTC; what a
source stamps more finely is cut to them, but which of two states is the later one is decided before that.

- A valid purchase has 0 < amount ≤ 1,000,000 and a currency of the reference table. Others count nowhere.
- A session is (user, session id), from its first event to its last. A day that it merely spans has it too.
- Users who do not exist count like all others.
"""

import csv
import functools
import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

RATES = Path(__file__).resolve().parents[2] / "registry" / "engagement" / "references" / "currency_rates.csv"
EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+([.][A-Za-z0-9-]+)*[.][A-Za-z]{2,}")
FORMATS = ("%Y-%m-%dT%H:%M:%SZ", "%d/%m/%Y %H:%M", "%b %d, %Y %I:%M %p")
DAY_MS, HALF_HOUR_MS = 86_400_000, 1_800_000
SUCCESS = {"opened", "clicked"}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Session(NamedTuple):
    user_id: str
    begin: int
    end: int


def ms(moment: datetime) -> int:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - EPOCH) // timedelta(milliseconds=1)


def day(moment_ms: int) -> date:
    return (EPOCH + timedelta(milliseconds=moment_ms)).date()


@functools.cache
def rates() -> dict[str, float]:
    """Units of each currency that a US dollar buys."""
    with RATES.open() as file:
        return {row["currency"]: float(row["units_per_usd"]) for row in csv.DictReader(file)}


def is_valid_purchase(amount: Decimal | None, currency: str | None) -> bool:
    return amount is not None and 0 < amount <= 1_000_000 and currency in rates()


def sessions(events: Iterable[tuple[str, int, str]]) -> list[Session]:
    """From (user, time, session) of each event."""
    times: dict[tuple[str, str], list[int]] = defaultdict(list)
    for user_id, at, session_id in events:
        times[user_id, session_id].append(at)
    return [Session(user_id, min(found), max(found)) for (user_id, _), found in times.items()]


def activity(
    events: Iterable[tuple[str, int, str]],
    messages: Iterable[tuple[str | None, int]],
    purchases: Iterable[tuple[str, int, Decimal | None, str | None]],
    reporting_currency: str = "EUR",
) -> dict[tuple[str, date], tuple[int, int, int, float]]:
    """By user and day: connections, seconds, messages, money."""
    units = rates()
    totals: dict[tuple[str, date], list[Any]] = defaultdict(lambda: [0, 0, 0, 0.0])
    for session in sessions(events):
        totals[session.user_id, day(session.begin)][0] += 1
        for number in range(session.begin // DAY_MS, session.end // DAY_MS + 1):
            midnight = number * DAY_MS
            spent = min(session.end, midnight + DAY_MS) - max(session.begin, midnight)
            totals[session.user_id, day(midnight)][1] += spent
    for user_id, at in messages:
        if user_id is not None:
            totals[user_id, day(at)][2] += 1
    for user_id, at, amount, currency in purchases:
        if is_valid_purchase(amount, currency):
            assert amount is not None
            assert currency is not None
            totals[user_id, day(at)][3] += float(amount) / units[currency] * units[reporting_currency]
    return {key: (c, spent // 1000, m, money) for key, (c, spent, m, money) in totals.items()}


def notification_impact(
    notifications: Iterable[tuple[str, int, str, str | None, str | None, datetime | None]],
    states: Iterable[tuple[str, str, str | None, datetime | None]],
    found: Iterable[Session],
) -> list[tuple[str, str | None, date, bool, int]]:
    """From (user, time, id, content, state, modified) and (user, id, status, updated): a row for each notification."""
    noted: dict[tuple[str, str], tuple[datetime, int, str]] = {}
    for user_id, notification_id, status, updated in states:
        if status is not None and updated is not None:
            candidate = (updated, 1, status)
            noted[user_id, notification_id] = max(noted.get((user_id, notification_id), candidate), candidate)
    by_user: dict[str, list[Session]] = defaultdict(list)
    for session in found:
        by_user[session.user_id].append(session)
    rows = []
    for user_id, at, notification_id, content, state, modified in notifications:
        candidates = [noted[user_id, notification_id]] if (user_id, notification_id) in noted else []
        if state is not None and modified is not None:
            aware = modified if modified.tzinfo else modified.replace(tzinfo=UTC)
            candidates.append((aware, 0, state))
        latest = max(candidates, default=None)
        success = latest is not None and latest[2] in SUCCESS
        after = _time_after(ms(latest[0]), by_user[user_id]) if success and latest else 0
        rows.append((user_id, content, day(at), success, after // 1000))
    return rows


def _time_after(success: int, own: list[Session]) -> int:
    holding = [session.end - success for session in own if session.begin <= success <= session.end]
    if holding:
        return max(holding)
    following = [
        (session.begin, session.begin - session.end)
        for session in own
        if success < session.begin <= success + HALF_HOUR_MS
    ]
    return -min(following)[1] if following else 0


class Sources:
    """The rows of both sources, read plainly."""

    def __init__(self, postgres: Any, cassandra: Any, keyspace: str = "engagement") -> None:
        self._postgres, self._cassandra, self._keyspace = postgres, cassandra, keyspace

    def postgres(self, query: str) -> list[tuple[Any, ...]]:
        with self._postgres.cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall())

    def cassandra(self, columns: str, table: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self._cassandra.execute(f"SELECT {columns} FROM {self._keyspace}.{table}")]

    def events(self) -> list[tuple[str, int, str]]:
        return [
            (str(u), ms(t), str(s))
            for u, t, s in self.cassandra("user_id, event_time, session_id", "user_session_events")
        ]

    def expected_activity(self, reporting_currency: str = "EUR") -> dict[tuple[str, date], tuple[int, int, int, float]]:
        messages = [(str(u) if u else None, ms(t)) for u, t in self.cassandra("user_id, created_at", "group_messages")]
        purchases = [
            (str(u), ms(t), a, c)
            for u, t, a, c in self.cassandra("user_id, purchase_time, amount, currency", "user_purchases")
        ]
        return activity(self.events(), messages, purchases, reporting_currency)

    def expected_impact(self) -> list[tuple[str, str | None, date, bool, int]]:
        notifications = [
            (str(u), ms(t), str(n), c, s, m)
            for u, t, n, c, s, m in self.cassandra(
                "user_id, notification_time, notification_id, content, state, modified_at", "user_notifications"
            )
        ]
        states = self.postgres(
            "SELECT user_id::text, notification_id::text, status, updated_at FROM notification_states"
        )
        return notification_impact(notifications, states, sessions(self.events()))

    def expected_silver_keys(self) -> dict[str, set[tuple[Any, ...]]]:
        """The keys that each silver table must hold; UUIDs as text, moments as milliseconds."""
        keys: dict[str, set[tuple[Any, ...]]] = {
            "users": {
                (i,)
                for i, e in self.postgres("SELECT id::text, email FROM users")
                if e is not None and EMAIL.fullmatch(e.strip(" "))
            },
            "groups": set(self.postgres("SELECT id::text FROM groups")),
            "groups_users_user": set(self.postgres("SELECT groups_id::text, users_id::text FROM groups_users_user")),
            "activities": {
                (i,)
                for i, s in self.postgres("SELECT id::text, scheduled_at FROM activities")
                if s is None or _is_date(s)
            },
            "notification_states": set(self.postgres("SELECT id::text FROM notification_states")),
            "user_purchases": {
                (str(u), ms(t), str(p))
                for u, t, p, a, c in self.cassandra(
                    "user_id, purchase_time, purchase_id, amount, currency", "user_purchases"
                )
                if is_valid_purchase(a, c)
            },
        }
        for table, columns in (
            ("group_messages", "group_id, created_at, message_id"),
            ("user_notifications", "user_id, notification_time, notification_id"),
            ("user_session_events", "user_id, event_time, session_id"),
        ):
            keys[table] = {(str(a), ms(t), str(b)) for a, t, b in self.cassandra(columns, table)}
        return keys


def expected_activity(
    postgres: Any, cassandra: Any, reporting_currency: str = "EUR", keyspace: str = "engagement"
) -> list[tuple[str, date, int, int, int, float]]:
    """The rows of ``global_user_activity_per_day``, sorted: user (UUID as text), UTC day, sessions that begin that day,
    seconds in sessions, messages, money in ``reporting_currency``."""
    found = Sources(postgres, cassandra, keyspace).expected_activity(reporting_currency)
    return sorted((*key, *measures) for key, measures in found.items())


def expected_notification_impact(
    postgres: Any, cassandra: Any, keyspace: str = "engagement"
) -> list[tuple[str, str | None, date, bool, int]]:
    """The rows of ``global_notif_impact_per_day``, sorted: user (UUID as text), content, UTC day of the notification,
    whether it succeeded, seconds after the success. Rows alike come as often as there are such notifications."""
    return sorted(Sources(postgres, cassandra, keyspace).expected_impact(), key=repr)


def expected_silver_keys(
    postgres: Any, cassandra: Any, keyspace: str = "engagement"
) -> dict[str, set[tuple[Any, ...]]]:
    """By silver table the keys that are valid there; UUIDs as text, times as milliseconds since 1970-01-01 UTC."""
    return Sources(postgres, cassandra, keyspace).expected_silver_keys()


def _is_date(text: str) -> bool:
    for pattern in FORMATS:
        try:
            datetime.strptime(text, pattern).replace(tzinfo=UTC)
        except ValueError:
            continue
        return True
    return False
