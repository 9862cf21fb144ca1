"""Young companies and what became of them, as JSON lines: ``startups/2026-10-01.jsonl``, a file for what a day taught.

A line is a version of a company, by ``updated_at``. Some are learned late: the file of a day holds versions of days before.
"""

from datetime import date, timedelta
from random import Random
from typing import Any

from scripts.demo_data.platform.landing import Landing, Line, moment_of, written

_STAGES = ("pre-seed", "Seed", "SERIES_A", "series b", "Series-C", "growth", None, "stealth")
_CURRENCIES = ("EUR", "USD", "GBP", "JPY", "CHF", "XXX", None)
_COMPANIES = 60
_FIRST, _DAYS = date(2026, 10, 1), 5


def load(landing: Landing, scale: float = 1, seed: int = 7) -> dict[str, int]:
    """Write the first days; returns the number of lines."""
    return {"startups": sum(_play(landing, _FIRST + timedelta(days=number), scale, seed) for number in range(_DAYS))}


def play_day(landing: Landing, scale: float = 1, seed: int = 7) -> date:
    """Write one more day."""
    day = date.fromisoformat(max(path.stem for path in (landing.folder / "startups").glob("*.jsonl"))) + timedelta(
        days=1
    )
    _play(landing, day, scale, seed)
    return day


def _play(landing: Landing, day: date, scale: float, seed: int) -> int:
    random = Random(f"{seed} startups {day}")
    lines: list[Line] = []
    companies = max(4, int(_COMPANIES * scale))
    for number in range(companies) if day == _FIRST else random.sample(range(companies), companies // 3):
        learned = day - timedelta(days=random.choice((0, 0, 0, 1, 3)))
        lines.append(_version(number, learned, random))
    lines += [random.choice(lines), b"[]"]
    landing.write(f"startups/{day}.jsonl", lines)
    return len(lines)


def _version(number: int, day: date, random: Random) -> dict[str, Any]:
    return {
        "startup_id": f"c{number}",
        "name": f" Company {number} ",
        "founded": random.choice(
            (2015 + number % 10, str(2015 + number % 10), "n/a" if random.random() < 0.1 else 2020)
        ),
        "country": random.choice(("DE", "FR", "US")),
        "stage": random.choice(_STAGES),
        "amount_raised": random.choice(
            (random.randint(0, 9) * 100_000, f"{random.randint(1, 99)}.50", 1234567.89, None)
        ),
        "currency": random.choice(_CURRENCIES),
        "valuation": random.choice((random.randint(1, 90) * 1_000_000, None, 999_999.99)),
        "employees": random.choice((random.randint(1, 500), str(random.randint(1, 9)), None)),
        "contact_email": f"ceo{number}@example.org",
        "is_active": random.choice((True, True, False, "true", None)),
        "updated_at": written(moment_of(day, random.randint(0, 86_399)), random),
    }
