"""Events of a shop's pages, some 300 bytes of JSON each: what is read from files and from Kafka."""

import json
import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

FIELDS = ("event_id", "user_id", "session_id", "event_type", "url", "referrer", "user_agent", "device", "price", "ts")
#: What a registry file says of them.
COLUMNS = "columns:\n" + "".join(f"  {name}: {{}}\n" for name in FIELDS)
_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36"


def events(places: Iterable[int]) -> Iterator[str]:
    """The event of each place, as JSON."""
    chance, begin = random.Random(7), datetime(2026, 10, 1, tzinfo=UTC)
    for place in places:
        yield json.dumps(_event(place, chance, begin))


def _event(place: int, chance: random.Random, begin: datetime) -> dict[str, object]:
    return {
        "event_id": f"e{place:010}",
        "user_id": f"u{chance.randrange(200_000)}",
        "session_id": f"s{chance.randrange(10**6)}" if place % 3 else None,
        "event_type": chance.choice(("view", "view", "cart", "checkout", "purchase")),
        "url": f"https://shop.example.org/products/{chance.randrange(5000)}?ref={place % 17}",
        "referrer": f"https://search.example.com/?q={chance.randrange(900)}",
        "user_agent": _AGENT,
        "device": chance.choice(("mobile", "desktop", "tablet")),
        "price": round(chance.random() * 500, 2),
        "ts": (begin + timedelta(milliseconds=place * 37)).isoformat(),
    }
