"""What users do in a day: sessions, messages, purchases, notifications, with the mess that real sources have.

Shares: amounts negative or zero 1.5 %, absurd 0.5 %, missing 0.5 %; currencies unknown or empty 1.5 %; 3 % of the
session events are sent twice; 4 % of the sessions cross midnight; 1 % of all refers to users that do not exist; rows are
written out of order.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from scripts.demo_data.engagement.people import Row, moment, new_id

STATES = ("sent", "delivered", "opened", "clicked", "dismissed", "failed")
_EVENTS = ("view", "click", "scroll", "search", "like")
_PRODUCTS = ("ticket", "membership", "sticker", "donation", "merch", None)
_CURRENCIES = ("EUR", "USD", "GBP", "JPY", "CHF")
_CONTENTS = (
    "Your group meets tomorrow",
    "New message in your group",
    "Membership ends soon",
    "You have a match",
    'Weekly digest: "the best of"\nyour groups',
    "Someone likes your activity 🎉",
)
_WORDS = ("hello", "who comes?", "great!", "see you", "naïve", "“quoted”", "line\nbreak", "comma, semicolon;", "👋")


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


def play(random: Random, day: datetime, users: list[Row], groups: list[Row]) -> Day:
    """What happens on ``day``: about a sixth of the users are active; each has a liveliness of its own."""
    found = Day()
    for user in users:
        liveliness = (user["id"].int % 97) / 97
        if random.random() > 0.05 + 0.25 * liveliness:
            continue
        user_id = new_id(random) if random.random() < 0.01 else user["id"]
        begins = [moment(random, day) for _ in range(1 + (random.random() < liveliness))]
        for begin in begins:
            found.user_session_events += session(random, user_id, begin)
        if random.random() < 0.5:
            found.group_messages += [
                message(random, user_id, groups, random.choice(begins)) for _ in range(random.randint(1, 3))
            ]
        if random.random() < 0.15:
            found.user_purchases.append(purchase(random, user_id, random.choice(begins)))
        if random.random() < 0.6:
            sent, states = notification(
                random, user_id, random.choice(begins) - timedelta(minutes=random.randint(0, 90))
            )
            found.user_notifications.append(sent)
            found.notification_states += states
    for rows in found.tables().values():
        random.shuffle(rows)
    return found


def session(random: Random, user_id: Any, begin: datetime) -> list[Row]:
    """The events of one session; its first is its beginning, its last its end."""
    session_id = new_id(random)
    if random.random() < 0.04:  # it crosses midnight
        begin = begin.replace(hour=23, minute=random.randint(40, 59))
    when, rows = begin, []
    for number in range(random.randint(2, 6)):
        kind = "open" if number == 0 else random.choice(_EVENTS)
        rows.append({"user_id": user_id, "event_time": when, "session_id": session_id, "event_type": kind})
        if random.random() < 0.03:  # sent twice
            rows.append(rows[-1] | {"event_time": when + timedelta(milliseconds=random.randint(1, 400))})
        when += timedelta(milliseconds=random.randint(1_000, 900_000))
    rows.append({"user_id": user_id, "event_time": when, "session_id": session_id, "event_type": "close"})
    return rows


def message(random: Random, user_id: Any, groups: list[Row], when: datetime) -> Row:
    """One message in a group."""
    return {
        "group_id": random.choice(groups)["id"],
        "created_at": when + timedelta(seconds=random.randint(0, 600)),
        "message_id": new_id(random),
        "user_id": user_id if random.random() > 0.003 else None,
        "content": " ".join(random.choices(_WORDS, k=random.randint(1, 6))),
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
    return {
        "user_id": user_id,
        "purchase_time": when + timedelta(seconds=random.randint(0, 600)),
        "purchase_id": new_id(random),
        "product_type": random.choice(_PRODUCTS),
        "amount": amount,
        "currency": currency,
    }


def notification(random: Random, user_id: Any, when: datetime) -> tuple[Row, list[Row]]:
    """One notification in Cassandra, and the states of it that the application noted in PostgreSQL."""
    notification_id = new_id(random)
    seen = when + timedelta(milliseconds=random.randint(1_000, 7_200_000))
    state = random.choices(STATES, weights=(15, 20, 30, 20, 10, 5))[0]
    row = {
        "user_id": user_id,
        "notification_time": when,
        "notification_id": notification_id,
        "content": random.choice(_CONTENTS),
        "state": state,
        "modified_at": seen,
    }
    states = []
    for _ in range(random.choice((0, 1, 1, 2))):
        noted = seen + timedelta(milliseconds=random.choice((-1, 1)) * random.randint(1, 1_800_000))
        noted = noted.replace(microsecond=noted.microsecond // 1000 * 1000 + 1)  # never exactly Cassandra's time
        states.append(
            {
                "id": new_id(random),
                "user_id": user_id,
                "notification_id": notification_id,
                "status": random.choice(STATES),
                "updated_at": noted,
            }
        )
    return row, states
