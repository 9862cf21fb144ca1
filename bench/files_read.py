"""Rows per second from JSON lines in a folder into Iceberg: by this project, and by Spark's own reader."""

import shutil
from pathlib import Path

from bench.common import HOME, environment, in_starts, profile, say, start_of_spark, timed
from bench.events import FIELDS, events
from lakehouse.orchestrate.launch import application
from lakehouse.orchestrate.runs import Kind, Plan
from lakehouse.orchestrate.work import Work
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
    registry = _HOME / "registry" / "bench"
    registry.mkdir(parents=True, exist_ok=True)
    columns = "".join(f"  {name}: {{}}\n" for name in FIELDS)
    (registry / "events.yml").write_text(
        f"source: {{connection: landing, relation: 'events/*.jsonl'}}\nload: arrivals\ncolumns:\n{columns}"
    )
    start = start_of_spark()
    work = Work(kind=Kind.JOB, plan=Plan(tables=("raw.events",)))
    ours = application(profile(), "run_plan.py", ["--work", work.as_json()])
    plain = application(profile(), str(ROOT / "bench" / "jobs" / "plain_json.py"), [folder.as_uri(), *FIELDS])
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
    for number in range(_FILES):
        with (waiting / f"part-{number:03}.jsonl").open("w") as file:
            file.writelines(f"{event}\n" for event in events(range(number, rows, _FILES)))
    waiting.rename(folder)
