"""Notifications and their states, which two sources note, each by its own clock.

Cassandra stamps whole milliseconds, PostgreSQL never does: so the two never tie.
"""

from datetime import datetime, timedelta
from random import Random
from typing import Any

from scripts.demo_data.engagement.people import Row, moment, new_id, within

#: In the order in which a notification passes through them.
STATES = ("sent", "delivered", "opened", "clicked", "dismissed", "failed")
_WEIGHTS = {True: (10, 15, 35, 25, 10, 5), False: (35, 35, 8, 4, 12, 6)}
_CONTENTS = (
    "Your group meets tomorrow",
    "New message in your group",
    "Membership ends soon",
    "You have a match",
    'Weekly digest: "the best of"\nyour groups',
    "Someone likes your activity 🎉",
    "C'est bientôt l'été",
)
_NEXT = {"sent": "delivered", "delivered": "opened", "opened": "clicked", "clicked": "dismissed", "failed": "sent"}


def notification(
    random: Random, user_id: Any, when: datetime, noted_on: datetime, *, active: bool
) -> tuple[Row, list[Row]]:
    """One notification in Cassandra, and the states of it that the application noted in PostgreSQL.

    Args:
        when: when it was sent.
        noted_on: the day on which its states are noted; later than ``when``'s for a row that comes late.
        active: whether the user is about on that day, and so likely to open it.
    """
    notification_id = new_id(random)
    from_here = when if when >= noted_on else noted_on + timedelta(milliseconds=random.randrange(40_000_000))
    state: str | None = random.choices(STATES, weights=_WEIGHTS[active])[0]
    states = []
    for number in range(random.choices((0, 1, 2, 3), weights=(10, 30, 35, 25))[0]):
        noted = within(noted_on, from_here + _delay(random))
        status = state if random.random() < 0.6 else random.choice(STATES)
        states.append(
            {
                "id": new_id(random),
                "user_id": user_id,
                "notification_id": notification_id,
                "status": status if random.random() > 0.005 else None,
                "updated_at": stamp(noted, number),
            }
        )
    row = {
        "user_id": user_id,
        "notification_time": when,
        "notification_id": notification_id,
        "content": random.choice(_CONTENTS) if random.random() > 0.005 else None,
        "state": state if random.random() > 0.02 else None,
        "modified_at": within(noted_on, from_here + _delay(random)),
    }
    return row, states


def _delay(random: Random) -> timedelta:
    """Until a state is noted: a second to two hours, half of them within half an hour."""
    return timedelta(milliseconds=1_000 + int(7_199_000 * random.random() ** 2))


def stray_state(random: Random, user_id: Any, day: datetime) -> Row:
    """A state of a notification that does not exist."""
    return later_state(random, {"user_id": user_id, "notification_id": new_id(random), "state": None}, day, 0)


def later_state(random: Random, row: Row, day: datetime, number: int) -> Row:
    """What PostgreSQL notes on ``day`` about a notification that Cassandra holds."""
    return {
        "id": new_id(random),
        "user_id": row["user_id"],
        "notification_id": row["notification_id"],
        "status": moved_on(random, row["state"]),
        "updated_at": stamp(moment(random, day), number),
    }


def moved_on(random: Random, state: str | None) -> str:
    """The state after ``state``, most often."""
    return _NEXT.get(state or "", "opened") if random.random() < 0.8 else random.choice(STATES)


def stamp(when: datetime, number: int) -> datetime:
    """``when`` with microseconds that no Cassandra stamp and no other ``number`` below 999 has."""
    return when.replace(microsecond=when.microsecond // 1000 * 1000 + 1 + number % 999)
