"""One table brought into raw by a process of its own, as the benchmarks of ingest time it."""

from collections.abc import Mapping
from pathlib import Path

from bench.common import environment, in_starts, profile, say, timed
from lakehouse.orchestrate.launch import application
from lakehouse.orchestrate.runs import Kind, Plan
from lakehouse.orchestrate.work import Work


def ingested(table: str, registry_file: str, lake: Path) -> float:
    """Seconds that the ingest of ``table`` takes from start to end.

    Args:
        registry_file: its text.
        lake: the folder of the lake; the registry stands beside it.
    """
    registry = lake.parent / "registry"
    (registry / "bench").mkdir(parents=True, exist_ok=True)
    (registry / "bench" / f"{table}.yml").write_text(registry_file)
    work = Work(kind=Kind.JOB, plan=Plan(tables=(f"raw.{table}",)))
    job = application(profile(), "run_plan.py", ["--work", work.as_json()])
    return timed(job.command, environment(lake, LAKEHOUSE_REGISTRY=str(registry)))


def rates(rows: int, seconds: Mapping[str, float], start: float) -> dict[str, object]:
    """Rows per second of each way, whose times are said, in seconds and in S."""
    for name, took in seconds.items():
        say(f"{name}: {in_starts(took, start)}")
    return {"rows": rows, **{name: round(rows / took) for name, took in seconds.items()}}
