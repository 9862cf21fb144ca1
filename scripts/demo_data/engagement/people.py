"""Users, groups, memberships and activities. The package's docstring says what is wrong with them, and how often."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

Row = dict[str, Any]

_FIRST = (
    "Ana",
    "Björn",
    "Chloé",
    "Dmitri",
    "Emre",
    "Fatima",
    "Grace",
    "Hugo",
    "Ines",
    "Jamal",
    "Kaito",
    "Léa",
    "María",
    "Noor",
    "Olga",
    "Pedro",
    "Quinn",
    "Rosa",
    "Søren",
    "Tariq",
    "Uma",
    "Victor",
    "Wei",
    "Yara",
    "Zoë",
)
_LAST = (
    "Adeyemi",
    "Brown",
    "Costa",
    "Dubois",
    "Eriksen",
    "Fischer",
    "García",
    "Haddad",
    "Ivanova",
    "Jensen",
    "Kim",
    "López",
    "Müller",
    "Nakamura",
    "O'Brien",
    "Petrov",
    "Quist",
    "Rossi",
    "Silva",
    "Tanaka",
    "Ueda",
    "Vargas",
    "Wong",
    "Young",
    "Zhang",
)
_TOPICS = (
    "hiking",
    "chess",
    "cooking",
    "running",
    "photography",
    "board games",
    "choir",
    "gardening",
    "Rust",
    "cinema",
)
_KINDS = ("meetup", "trip", "workshop", "match", "dinner")
_PLACES = ("Lisbon", "Oslo", "Nairobi", "Kyoto", "Montréal", "São Paulo")
_STATUSES = ("planned", "confirmed", "done", "cancelled")
_MALFORMED = ("{0}.example.com", "{0}@", "@example.com", "{0}@example", "{0} at example.com", "{0}@@example.com", "")


def new_id(random: Random) -> uuid.UUID:
    """A random UUID that the seed decides."""
    return uuid.UUID(int=random.getrandbits(128), version=4)


def moment(random: Random, day: datetime) -> datetime:
    """A time of ``day``, more often in the evening, in whole milliseconds."""
    hour = random.gauss(17, 4) if random.random() < 0.8 else random.uniform(0, 24)
    return day + timedelta(milliseconds=int(hour * 3_600_000) % 86_400_000)


def within(day: datetime, when: datetime) -> datetime:
    """``when``, or the end of ``day`` that is nearer to it: what is made for a day is not stamped after it."""
    return min(max(when, day), day + timedelta(days=1, milliseconds=-1))


def good_email(name: str) -> str:
    """A well-formed address of ``name``."""
    return f"{name}@example.com"


def malformed_email(random: Random, name: str) -> str:
    """An address of ``name`` that no mail can reach."""
    return random.choice(_MALFORMED).format(name)


def email(random: Random, name: str) -> str | None:
    """An address of ``name``: good, missing or malformed."""
    chance = random.random()
    if chance < 0.02:
        return None
    if chance < 0.05:
        return malformed_email(random, name)
    return f" {good_email(name).upper()} " if chance < 0.07 else good_email(name)


def names(random: Random) -> tuple[str, str | None]:
    """First and last name."""
    first, last = random.choice(_FIRST), random.choice(_LAST)
    chance = random.random()
    if chance < 0.02:
        return f" {first.upper()}", f"{last} "
    return first, None if chance < 0.03 else last


def user(random: Random, created_at: datetime) -> Row:
    """One user."""
    first, last = names(random)
    return {
        "id": new_id(random),
        "first_name": first,
        "last_name": last,
        "email": email(random, f"u{random.getrandbits(40):010x}"),
        "password": f"pbkdf2${random.getrandbits(96):024x}",
        "created_at": created_at,
        "updated_at": created_at,
    }


def users(random: Random, count: int, first_day: datetime) -> list[Row]:
    """``count`` users who signed up during the year before ``first_day``; one in a thousand before 1970, by its clock."""
    found = [user(random, first_day - timedelta(seconds=random.randrange(1, 365 * 86_400))) for _ in range(count)]
    for row in random.sample(found, max(1, count // 1000)):
        row["created_at"] = datetime(1969, 12, 31, 23, random.randrange(60), tzinfo=UTC)
    return found


def group(random: Random, created_at: datetime) -> Row:
    """One group."""
    topic, place = random.choice(_TOPICS), random.choice(_PLACES)
    return {
        "id": new_id(random),
        "name": f"{topic} in {place}",
        "description": f'All about "{topic}",\nin {place}.',
        "created_at": created_at,
        "updated_at": created_at,
    }


def memberships(random: Random, groups: list[Row], users: list[Row]) -> list[Row]:
    """Each user in two to four groups; one in a hundred of a user that does not exist."""
    pairs = {(random.choice(groups)["id"], user["id"]) for user in users for _ in range(random.randint(2, 4))}
    strangers = {(random.choice(groups)["id"], new_id(random)) for _ in range(max(1, len(pairs) // 100))}
    return [{"groups_id": group_id, "users_id": user_id} for group_id, user_id in sorted(pairs | strangers)]


def activity(random: Random, groups: list[Row], users: list[Row], created_at: datetime) -> Row:
    """One activity that a group plans."""
    organiser = new_id(random) if random.random() < 0.01 else random.choice(users)["id"]
    kind = random.choice(_KINDS)
    return {
        "id": new_id(random),
        "group_id": random.choice(groups)["id"],
        "user_id": organiser,
        "activity_type": kind,
        "title": f"{kind} no. {random.randint(1, 999)}",
        "description": random.choice((None, "", "Bring water.")),
        "location": random.choice(_PLACES),
        "scheduled_at": _scheduled(random, created_at),
        "status": random.choice(_STATUSES),
        "created_at": created_at,
    }


def other_status(random: Random, status: str | None) -> str:
    """A status of an activity that is not ``status``."""
    return random.choice([other for other in _STATUSES if other != status])


def _scheduled(random: Random, created_at: datetime) -> str | None:
    chance = random.random()
    if chance < 0.005:
        return random.choice(("soon", "2026-13-45", "31/02/2026 10:00", "next Tuesday"))
    if chance < 0.01:
        return None
    when = created_at + timedelta(minutes=random.randrange(60 * 24 * 60))
    if chance < 0.02:
        when = when.replace(year=random.choice((1955, 1969)), day=1)
    elif chance < 0.03:
        when = when.replace(year=random.choice((2199, 9999)), day=1)
    when = when.replace(second=0, microsecond=0)
    pattern = random.choice(("%Y-%m-%dT%H:%M:%SZ", "%d/%m/%Y %H:%M", "%b %d, %Y %I:%M %p"))
    return when.strftime(pattern)


def activities(random: Random, count: int, groups: list[Row], users: list[Row], days: list[datetime]) -> Iterator[Row]:
    """``count`` activities, made on ``days``; the first on the last of them, so that the data says which day it was."""
    for number in range(count):
        day = random.choice(days) if number else days[-1]
        yield activity(random, groups, users, moment(random, day))
