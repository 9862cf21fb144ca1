"""What visitors of a shop do on its pages, as JSON lines in a folder for each day: ``clicks/day=2026-10-01/…``.

Some events come twice, some a day late in the folder of their own day, some lines are broken, and each day one file is cut off
in the middle; the next day it is written anew, whole.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import Any

from scripts.demo_data.platform.landing import Landing, Line, moment_of, written

#: Where visitors come from, and the registrable domain of that; nothing where they typed the address.
REFERRERS: tuple[tuple[str | None, str | None], ...] = (
    (None, None),
    ("https://www.google.co.uk/search?q=lamp", "google.co.uk"),
    ("https://google.com/", "google.com"),
    ("http://news.example.com.au:8080/a?b=c", "example.com.au"),
    ("https://t.co/x", "t.co"),
    ("android-app://com.mail", None),
    ("https://192.168.0.1/admin", None),
    ("not a url", None),
)
#: Programs that ask for pages, what they run on, and whether they are robots.
AGENTS = (
    ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148", "mobile", False),
    ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36", "desktop", False),
    ("Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X) AppleWebKit/605.1.15", "tablet", False),
    ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "unknown", True),
    (None, "unknown", False),
)
#: What programs say of the device, and its category; without a word it is told by the program.
DEVICES = (("iPhone", "mobile"), ("DESKTOP", "desktop"), ("Tablet", "tablet"), ("smart-tv", "other"), (None, None))
_STEPS = ("view", "cart", "checkout", "purchase")
_SESSIONS, _FILES = 300, 4
#: Sessions of the app have numbers from here on.
_OF_THE_APP = 100_000
#: Lines that are no records: cut off, no JSON at all, and in Latin-1.
_BROKEN = (b'{"event_id": "cut', b"oops", b'{"event_id": "caf\xe9"}')
#: The first day, and how many of them there are at first.
_FIRST, _DAYS = date(2026, 10, 1), 5


def load(landing: Landing, scale: float = 1, seed: int = 7) -> dict[str, int]:
    """Write the first days; returns the number of lines."""
    return {"clicks": sum(_play(landing, _FIRST + timedelta(days=number), scale, seed) for number in range(_DAYS))}


def play_day(landing: Landing, scale: float = 1, seed: int = 7) -> date:
    """Write one more day."""
    day = landing.days("clicks")[-1] + timedelta(days=1)
    _play(landing, day, scale, seed)
    return day


def messages(day: date, scale: float = 1, seed: int = 7) -> list[dict[str, Any]]:
    """The events of a day that come through Kafka: those of every third session of the pages, which come by files too, and
    those of the app, which come only so; some come twice."""
    files, late = _files(day, scale, seed)
    lines = [line for lines in (*files, late) for line in lines if not isinstance(line, bytes)]
    both_ways = [dict(line) for line in lines if int(str(line["event_id"]).split("-")[1]) % 3 == 0]
    random = Random(f"{seed} app {day}")
    numbers = range(_OF_THE_APP, _OF_THE_APP + max(3, int(_SESSIONS * scale / 4)))
    of_the_app = [event for number in numbers for event in _session(day, number, random, scale)]
    sent = [*both_ways, *of_the_app]
    return [*sent, *random.sample(sent, len(sent) // 50)]


def _play(landing: Landing, day: date, scale: float, seed: int) -> int:
    """The files of a day, and what was late or cut off the day before."""
    before = day - timedelta(days=1)
    if before in landing.days("clicks"):
        files, late = _files(before, scale, seed)
        landing.write(f"clicks/day={before}/part-0.jsonl", files[0])
        landing.write(f"clicks/day={before}/late.jsonl", late)
    files, _ = _files(day, scale, seed)
    for number, lines in enumerate(files):
        ending = ".jsonl.gz" if number == 1 else ".jsonl"
        landing.write(f"clicks/day={day}/part-{number}{ending}", lines, cut=number == 0)
    return sum(map(len, files))


def _files(day: date, scale: float, seed: int) -> tuple[list[list[Line]], list[Line]]:
    """The lines of a day's files, and those that come a day late; the same whenever they are asked for."""
    random = Random(f"{seed} {day}")
    files: list[list[Line]] = [[] for _ in range(_FILES)]
    late: list[Line] = []
    for number in range(max(3, int(_SESSIONS * scale))):
        for event in _session(day, number, random, scale):
            chance = random.random()
            (late if chance < 0.03 else random.choice(files)).append(event)
            if chance > 0.98:
                random.choice(files).append(event)
    for lines in files:
        lines.insert(len(lines) // 2, random.choice(_BROKEN))
    return files, late


def _session(day: date, number: int, random: Random, scale: float) -> Iterator[dict[str, Any]]:
    agent, _, _ = random.choice(AGENTS)
    referrer, device = random.choice(REFERRERS)[0], random.choice(DEVICES)[0]
    user = f"u{random.randint(1, max(5, int(200 * scale)))}" if random.random() < 0.8 else None
    session = f"s{day:%m%d}-{number}" if user is None or random.random() < 0.6 else None
    second, step = random.uniform(0, 86_000), 0
    for place in range(random.choice((1, 1, 2, 3, 5, 8))):
        step = min(step + (random.random() < 0.4), len(_STEPS) - 1) if place else 0
        moment = moment_of(day, second)
        yield {
            key: value
            for key, value in {
                "event_id": f"{day:%m%d}-{number}-{place}",
                "user_id": user,
                "session_id": session,
                "event_type": "hover" if random.random() < 0.01 else _STEPS[step],
                "url": f"https://shop.example.org/p/{random.randint(1, 50)}",
                "referrer": referrer,
                "user_agent": agent,
                "device": device,
                "ts": "yesterday" if random.random() < 0.005 else written(moment, random),
                "load_ts": written(moment + timedelta(minutes=5), random),
                "experiment": {"arm": random.choice("ab"), "weight": 0.50} if random.random() < 0.1 else None,
            }.items()
            if value is not None or random.random() < 0.5
        }
        second += random.choice((7.25, 60, 600, 2400))
