"""A day of the shop beside what a user would take instead: one plain Spark application, and DuckDB without Spark.

Each carries the same played day into tables of its own, as a process of its own, timed from its start to its end. Ours
makes 20 gold tables, with versions of customers and products, and sees what was deleted; the others make the 18 of
bench/sql, by one set of queries, and see no deletes.
"""

import shutil
import statistics
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import typer

from bench import answers, marts, others, shop
from bench.common import HOME, environment, in_starts, measured, own_services, profile, result, say, start_of_spark
from lakehouse.orchestrate.launch import application
from scripts.services.settings import ROOT


@dataclass(frozen=True)
class Way:
    """A way to carry a day: how it is called, and what its marts hold."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    totals: Callable[[], dict[str, answers.Totals]]


def main(
    scale: Annotated[float, typer.Option(min=0.001, help="Scale of the shop.")] = 2,
    orders: Annotated[int, typer.Option(min=1, help="New orders of a day; all other changes follow.")] = 370,
    days: Annotated[int, typer.Option(min=1, help="Days that count, after one that does not; the median is told.")] = 3,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON object last.")] = False,
) -> None:
    """Measure the same days of the shop, carried in three ways."""
    home = HOME / "day"
    shutil.rmtree(home, ignore_errors=True)
    with own_services("postgres") as found, closing(found.postgres.connect()) as connection:
        ways = _ways(home)
        shop.make(connection, scale)
        for way in ways:
            say(f"  first run, {way.name}: {measured(way.command, way.environment)}")
        _compare(ways, "after the first run, which must be nothing")
        start = start_of_spark()
        changed, seconds = [], {way.name: list[float]() for way in ways}
        for number in range(days + 1):
            changed.append(shop.play(connection, orders))
            say(f"  day {number + 1}: {changed[-1]:,} changed rows{'' if number else ', not counted'}")
            for way in ways[number % 3 :] + ways[: number % 3]:  # whoever comes first finds the source's pages cold
                took = measured(way.command, way.environment)
                say(f"    {way.name}: {took.seconds / start:.1f} S, {took}")
                seconds[way.name].append(took.seconds)
        _compare(ways, "after the last day: what the source deleted, and older versions, are ours alone")
    medians = {name: round(statistics.median(times[1:]), 2) for name, times in seconds.items()}
    for name, median in medians.items():
        say(f"{name}: {in_starts(median, start)}")
    values = {f"{name}_s": median for name, median in medians.items()}
    result(
        {"changed_rows": round(statistics.median(changed[1:])), **values, "tables": len(marts.MARTS)},
        as_json=json_output,
    )


def _ways(home: Path) -> list[Way]:
    task, plain, database = home / "task.json", home / "plain_spark", home / "day.duckdb"
    marts.write_task(task)
    plain_job = application(
        profile(), str(ROOT / "bench" / "jobs" / "plain_day.py"), [str(task), str(plain / "state.json")]
    )
    duck = [others.python(), str(ROOT / "bench" / "duckdb_day.py"), str(task), str(database)]
    analysts = home / "ours" / "analytics.duckdb"
    return [
        Way("ours", shop.PIPELINE, environment(home / "ours"), lambda: answers.of_analysts_file(analysts, marts.MARTS)),
        Way("plain_spark", plain_job.command, environment(plain), lambda: answers.of_iceberg(plain, marts.MARTS)),
        Way(
            "duckdb",
            duck,
            environment(home, **others.postgres_environment()),
            lambda: answers.of_database(database, marts.MARTS),
        ),
    ]


def _compare(ways: Sequence[Way], when: str) -> None:
    """Say where the marts of one way hold something else than those of the way before it."""
    totals = [(way.name, way.totals()) for way in ways]
    for (one, left), (other, right) in pairwise(totals):
        lines = answers.differences(left, right)
        say(f"  {other} differs from {one} in {len(lines)} of {len(marts.MARTS)} tables, {when}")
        for line in lines:
            say(f"    {line}")


if __name__ == "__main__":
    typer.run(main)
