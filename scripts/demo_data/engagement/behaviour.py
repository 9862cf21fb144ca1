"""What users do in a day: sessions, messages, purchases, notifications. The package's docstring says what is wrong
with them, and how often."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from scripts.demo_data.engagement.notices import notification, stray_state
from scripts.demo_data.engagement.people import Row, moment, new_id, within

_PRODUCTS = ("ticket", "membership", "sticker", "donation", "merch", None)
_CURRENCIES = ("EUR", "USD", "GBP", "JPY", "CHF")
_WORDS = (
    "hello",
    "who comes?",
    "great!",
    "see you",
    "naïve",
    "“quoted”",
    "it's",
    'a "plain" quote',
    "line\nbreak",
    "a\ttab",
    "back\\slash",
    "comma, semicolon;",
    "今日は",
    "👋",
)


@dataclass
class Day:
    """The rows of one day, by table."""

    group_messages: list[Row] = field(default_factory=list)
    user_notifications: list[Row] = field(default_factory=list)
    user_purchases: list[Row] = field(default_factory=list)
    user_session_events: list[Row] = field(default_factory=list)
    notification_states: list[Row] = field(default_factory=list)

    def tables(self) -> dict[str, list[Row]]:
        """Rows by table name."""
        return dict(vars(self))


def play(random: Random, day: datetime, users: list[Row], groups: list[Row], noted_on: datetime | None = None) -> Day:
    """What happens on ``day``: about one user in sixteen is active, each with a liveliness of their own, and one in
    five is notified.

    Args:
        noted_on: the day on which the states of notifications are noted, when the rows of ``day`` come late.
    """
    found = Day()
    for user in users:
        liveliness = (user["id"].int % 97) / 97
        active = random.random() < 0.01 + 0.16 * liveliness**2
        user_id = new_id(random) if random.random() < 0.01 else user["id"]
        when = moment(random, day)
        if active:
            _be_active(random, found, day, user_id, groups, liveliness)
            if random.random() < 0.7:  # so that some are opened in a session, and some shortly before one
                when = found.user_session_events[-1]["event_time"] - timedelta(minutes=random.randint(0, 90))
        if random.random() < (0.9 if active else 0.18):
            sent, states = notification(random, user_id, within(day, when), noted_on or day, active=active)
            found.user_notifications.append(sent)
            found.notification_states += states
            if random.random() < 0.01:
                found.notification_states.append(stray_state(random, user_id, noted_on or day))
    for rows in found.tables().values():
        random.shuffle(rows)
    return found


def surely(random: Random, day: datetime, user: Row, groups: list[Row], noted_on: datetime) -> Day:
    """A day on which ``user`` has a session, writes, buys and is notified, so that no table goes without."""
    found = Day()
    begin = moment(random, day)
    found.user_session_events += session(random, user["id"], begin)
    found.group_messages.append(message(random, user["id"], groups, _soon(random, day, [begin])))
    found.user_purchases.append(purchase(random, user["id"], _soon(random, day, [begin])))
    sent, states = notification(random, user["id"], begin, noted_on, active=True)
    found.user_notifications.append(sent)
    found.notification_states += states
    return found


def _be_active(random: Random, found: Day, day: datetime, user_id: Any, groups: list[Row], liveliness: float) -> None:
    begins = [moment(random, day) for _ in range(1 + (random.random() < liveliness))]
    for begin in begins:
        found.user_session_events += session(random, user_id, begin)
    if random.random() < 0.7:
        found.group_messages += [
            message(random, user_id, groups, _soon(random, day, begins)) for _ in range(random.randint(1, 3))
        ]
    if random.random() < 0.5:
        found.user_purchases.append(purchase(random, user_id, _soon(random, day, begins)))


def session(random: Random, user_id: Any, begin: datetime) -> list[Row]:
    """The events of one session; its first is its beginning, its last its end.

    One in 25 begins within twenty minutes before midnight and goes on after it; one in 50 is of one event.
    """
    chance = random.random()
    gaps = [random.randint(1_000, 900_000) for _ in range(random.randint(2, 6))]
    if chance < 0.04:
        midnight = begin.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        left = random.randint(1, 1_200_000)
        begin, gaps[0] = midnight - timedelta(milliseconds=left), left + random.randint(0, 600_000)
    return _events(random, user_id, begin, [] if 0.04 <= chance < 0.06 else gaps)


def abandoned_session(random: Random, user_id: Any, begin: datetime) -> list[Row]:
    """A session that was left open and closed two days later: there is a day that it only spans."""
    return _events(random, user_id, begin, [60_000, 2 * 86_400_000 + random.randint(0, 3_600_000)])


def _events(random: Random, user_id: Any, begin: datetime, gaps: list[int]) -> list[Row]:
    """From ``open`` over what lies between to ``close``, ``gaps`` milliseconds apart; without gaps just ``open``."""
    session_id = new_id(random)
    when, rows = begin, []
    for number in range(len(gaps) + 1):
        kind = "open" if number == 0 else "close" if number == len(gaps) else random.choice(("view", "view", "click"))
        rows.append({"user_id": user_id, "event_time": when, "session_id": session_id, "event_type": kind})
        if random.random() < 0.03:  # sent again; less than the shortest gap later
            rows.append(rows[-1] | {"event_time": when + timedelta(milliseconds=random.randint(1, 400))})
        if number < len(gaps):
            when += timedelta(milliseconds=gaps[number])
    return rows


def message(random: Random, user_id: Any, groups: list[Row], when: datetime) -> Row:
    """One message in a group."""
    return {
        "group_id": random.choice(groups)["id"],
        "created_at": when,
        "message_id": new_id(random),
        "user_id": user_id if random.random() > 0.003 else None,
        "content": " ".join(random.choices(_WORDS, k=random.randint(1, 6))) if random.random() > 0.003 else None,
    }


def purchase(random: Random, user_id: Any, when: datetime) -> Row:
    """One purchase; some of a price or in a currency that cannot be."""
    amount: Decimal | None = Decimal(random.randint(100, 30_000)).scaleb(-2)
    currency: str | None = random.choice(_CURRENCIES)
    chance = random.random()
    if chance < 0.01:
        amount = -Decimal(random.randint(1, 9_999)).scaleb(-2)
    elif chance < 0.015:
        amount = Decimal(0)
    elif chance < 0.02:
        amount = Decimal(random.choice(("99999999.99", "1000000.01", "123456789012345678901234567890")))
    elif chance < 0.025:
        amount = None
    elif chance < 0.04:
        currency = random.choice(("XXX", "", "eur", None))
    elif chance < 0.041:
        amount = Decimal(1_000_000)  # the largest that counts
    return {
        "user_id": user_id,
        "purchase_time": when,
        "purchase_id": new_id(random),
        "product_type": random.choice(_PRODUCTS),
        "amount": amount,
        "currency": currency,
    }


def _soon(random: Random, day: datetime, begins: list[datetime]) -> datetime:
    """A time within ten minutes after one of ``begins``, still on ``day``."""
    return within(day, random.choice(begins) + timedelta(seconds=random.randint(0, 600)))
