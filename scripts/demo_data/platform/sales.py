"""Documents of sales, as several versions of a program left them in one collection.

Moments are texts with and without a zone, native ones and numbers; numbers are numbers, texts and decimals; version 2 of a
document has its products in ``items``. Documents are changed and deleted later.
"""

import hashlib
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from bson import Decimal128

from scripts.demo_data.platform.landing import moment_of, written

_BUYERS, _FEWEST, _STAY_DAYS = 240, 40, 40
_FIRST, _DAYS = date(2026, 8, 2), 65
_PRODUCTS = tuple(f"product-{number}" for number in range(12))
_METHODS, _CITIES = ("card", "invoice", "wallet", None), (("Ulm", "DE"), ("Lyon", "FR"), ("Bern", "CH"))


def load(collection: Any, scale: float = 1, seed: int = 7) -> dict[str, int]:
    """Insert the sales of the first days; returns the number of documents."""
    for number in range(_DAYS):
        _sell(collection, _FIRST + timedelta(days=number), scale, seed)
    return {"sales": collection.count_documents({})}


def play_day(collection: Any, scale: float = 1, seed: int = 7) -> date:
    """One more day: new sales, some of before that are changed, and a few that are deleted."""
    newest = collection.find_one(sort=[("day", -1)])
    day = date.fromisoformat(newest["day"]) + timedelta(days=1)
    random = Random(f"{seed} changes {day}")
    known = sorted(document["sale_id"] for document in collection.find({}, {"sale_id": 1}))
    for sale_id in random.sample(known, max(2, len(known) // 20)):
        change = {"status": random.choice(("returned", "cancelled", "completed")), "updated_at": _now(day, random)}
        collection.update_one({"sale_id": sale_id}, {"$set": change})
    for sale_id in random.sample(known, max(1, len(known) // 60)):
        collection.delete_one({"sale_id": sale_id})
    _sell(collection, day, scale, seed)
    return day


def _sell(collection: Any, day: date, scale: float, seed: int) -> None:
    random = Random(f"{seed} sales {day}")
    buyers = _buyers(day, scale, seed, random)
    collection.insert_many(
        [_document(f"{day:%m%d}-{number}", day, buyer, random) for number, buyer in enumerate(buyers)]
    )


def _buyers(day: date, scale: float, seed: int, random: Random) -> list[int]:
    """Who buys on a day: those whom their rhythm brings, and a few of the others who still come."""
    begun = max(_FEWEST, int(_BUYERS * scale))
    number = (day - _FIRST).days
    come = [buyer for buyer in range(begun + begun * number // _STAY_DAYS) if _stays(buyer, begun, number, seed)]
    due = [buyer for buyer in come if _is_due(buyer, number, seed)]
    return due + random.choices(come, k=max(1, len(due) // 8))


def _stays(buyer: int, begun: int, number: int, seed: int) -> bool:
    """Whether a buyer came by the day of that number and has not left: some leave soon, some late, and new ones come."""
    random = Random(f"{seed} stay of buyer {buyer}")
    came = -random.randrange(_STAY_DAYS) if buyer < begun else (buyer - begun) * _STAY_DAYS // begun
    return came <= number < came + random.expovariate(1 / _STAY_DAYS) * 2


def _is_due(buyer: int, number: int, seed: int) -> bool:
    random = Random(f"{seed} rhythm of buyer {buyer}")
    rhythm = random.choice((2, 4, 7, 11))
    return (number + random.randrange(rhythm)) % rhythm == 0


def _document(sale_id: str, day: date, customer: int, random: Random) -> dict[str, Any]:
    city, country = random.choice(_CITIES)
    lines = [
        {
            "product": random.choice(_PRODUCTS),
            "quantity": _number(random.randint(1, 4), random),
            "unit_price": _price(random),
        }
        for _ in range(random.randint(1, 3))
    ]
    is_second = random.random() < 0.5
    at = moment_of(day, random.randint(0, 86_399))
    document = {
        # no ObjectId: the fake server fails now and then to order one beside a text
        "_id": int(hashlib.sha256(sale_id.encode()).hexdigest()[:12], 16) if random.random() < 0.5 else sale_id,
        "sale_id": sale_id,
        "day": day.isoformat(),
        "customer_id": None if random.random() < 0.02 else f"b{customer}",
        "discount": random.choice((0, 1.5, "2.25", Decimal128("0.99"), None)),
        "status": random.choice(("completed", "completed", "completed", "returned", "cancelled")),
        "payment_method": random.choice(_METHODS),
        "contact_email": f"buyer{customer}@example.org",
        "credit_card_last4": f"{random.randint(0, 9999):04}",
        "store": {"city": city, "country": country},
        "sale_timestamp": random.choice((at, written(at, random), "soon" if random.random() < 0.02 else at)),
        "schema_version": 2 if is_second else random.choice((1, "1")),
        "updated_at": _now(day, random),
    }
    return document | ({"items": lines} if is_second else lines[0])


def _now(day: date, random: Random) -> datetime:
    """When a program wrote: after all that it wrote the day before."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(milliseconds=random.randint(0, 86_399_999))


def _number(value: int, random: Random) -> int | str | float:
    return random.choice((value, value, str(value)))


def _price(random: Random) -> float | str | Decimal128 | int:
    cents = random.randint(100, 9_999)
    return random.choice((cents / 100, f"{cents / 100:.2f}", Decimal128(f"{cents / 100:.2f}"), cents // 100))
