"""Rows per second from JSON lines in a folder into Iceberg: by this project, and by Spark's own reader."""

import json
import random
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.common import HOME, environment, in_starts, profile, say, start_of_spark, timed
from lakehouse.orchestrate.launch import application
from lakehouse.orchestrate.runs import Kind, Plan
from lakehouse.orchestrate.work import Work
from scripts.services.settings import ROOT

_HOME = HOME / "files"
#: The fields of an event, some 300 bytes.
FIELDS = ("event_id", "user_id", "session_id", "event_type", "url", "referrer", "user_agent", "device", "price", "ts")
_FILES, _AGENT = 20, "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36"


def measure(rows: int) -> dict[str, object]:
    """Rows per second, each way by a process of its own, its start included."""
    lake = _HOME / "lake"
    shutil.rmtree(lake, ignore_errors=True)
    events = _HOME / f"events-{rows}"
    _write(events, rows)
    (lake / "landing").mkdir(parents=True)
    (lake / "landing" / "events").symlink_to(events)
    registry = _HOME / "registry" / "bench"
    registry.mkdir(parents=True, exist_ok=True)
    columns = "".join(f"  {name}: {{}}\n" for name in FIELDS)
    (registry / "events.yml").write_text(
        f"source: {{connection: landing, relation: 'events/*.jsonl'}}\nload: arrivals\ncolumns:\n{columns}"
    )
    start = start_of_spark()
    work = Work(kind=Kind.JOB, plan=Plan(tables=("raw.events",)))
    ours = application(profile(), "run_plan.py", ["--work", work.as_json()])
    plain = application(profile(), str(ROOT / "bench" / "jobs" / "plain_json.py"), [events.as_uri(), *FIELDS])
    seconds = {
        "ours": timed(ours.command, environment(lake, LAKEHOUSE_REGISTRY=str(_HOME / "registry"))),
        "spark": timed(plain.command, environment(_HOME / "plain")),
    }
    for name, took in seconds.items():
        say(f"{name}: {in_starts(took, start)}")
    return {"rows": rows, **{name: round(rows / took) for name, took in seconds.items()}}


def _write(folder: Path, rows: int) -> None:
    """Make ``rows`` events in some files, unless they are there."""
    if folder.exists():
        return
    say(f"writing {rows:,} events")
    waiting = folder.with_name(f".{folder.name}")
    shutil.rmtree(waiting, ignore_errors=True)
    waiting.mkdir(parents=True)
    chance, begin = random.Random(7), datetime(2026, 10, 1, tzinfo=UTC)
    for number in range(_FILES):
        with (waiting / f"part-{number:03}.jsonl").open("w") as file:
            for place in range(number, rows, _FILES):
                file.write(json.dumps(_event(place, chance, begin)) + "\n")
    waiting.rename(folder)


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
