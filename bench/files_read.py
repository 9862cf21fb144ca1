"""Rows per second from JSON lines in a folder into Iceberg: by this project, and by Spark's own reader."""

import shutil
from pathlib import Path

from bench.common import HOME, environment, profile, say, start_of_spark, timed
from bench.events import COLUMNS, FIELDS, events
from bench.one_table import ingested, rates
from lakehouse.orchestrate.launch import application
from scripts.services.settings import ROOT

_HOME = HOME / "files"
_FILES = 20


def measure(rows: int) -> dict[str, object]:
    """Rows per second, each way by a process of its own, its start included."""
    lake = _HOME / "lake"
    shutil.rmtree(lake, ignore_errors=True)
    folder = _HOME / f"events-{rows}"
    _write(folder, rows)
    (lake / "landing").mkdir(parents=True)
    (lake / "landing" / "events").symlink_to(folder)
    text = f"source: {{connection: landing, relation: 'events/*.jsonl'}}\nload: arrivals\n{COLUMNS}"
    start = start_of_spark()
    plain = application(profile(), str(ROOT / "bench" / "jobs" / "plain_json.py"), [folder.as_uri(), *FIELDS])
    seconds = {
        "ours": ingested("events", text, lake),
        "spark": timed(plain.command, environment(_HOME / "plain")),
    }
    return rates(rows, seconds, start)


def _write(folder: Path, rows: int) -> None:
    """Make ``rows`` events in some files, unless they are there."""
    if folder.exists():
        return
    say(f"writing {rows:,} events")
    waiting = folder.with_name(f".{folder.name}")
    shutil.rmtree(waiting, ignore_errors=True)
    waiting.mkdir(parents=True)
    for number in range(_FILES):
        with (waiting / f"part-{number:03}.jsonl").open("w") as file:
            file.writelines(f"{event}\n" for event in events(range(number, rows, _FILES)))
    waiting.rename(folder)
