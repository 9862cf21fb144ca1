"""What a day of the shop costs, at two sizes of the shop, with the same number of changed rows.

The shop is made in a PostgreSQL of the benchmark's own, in the small size and then in the large one; in each a lake gets a
first run, and days are played and carried. Cost that follows what changed is alike at both; cost that follows what there is
grows with the size.
"""

import shutil
import statistics
from contextlib import closing
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from bench import shop
from bench.common import (
    HOME,
    Measured,
    environment,
    in_starts,
    measured,
    own_services,
    result,
    say,
    spark_jobs,
    start_of_spark,
)


@dataclass(frozen=True)
class Day:
    """What a played day brought, and what carrying it took."""

    changed_rows: int
    took: Measured


@dataclass(frozen=True)
class Days:
    """The days that count of a shop of one size, and the Spark jobs of one more, which is not timed."""

    days: list[Day]
    jobs: int

    @property
    def seconds(self) -> float:
        return round(statistics.median(day.took.seconds for day in self.days), 2)


def main(
    small: Annotated[float, typer.Option(min=0.001, help="Scale of the small shop.")] = 2,
    large: Annotated[float, typer.Option(min=0.001, help="Scale of the large shop.")] = 20,
    orders: Annotated[int, typer.Option(min=1, help="New orders of a day; all other changes follow.")] = 370,
    days: Annotated[int, typer.Option(min=1, help="Days that count, after one that does not; the median is told.")] = 3,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON object last.")] = False,
) -> None:
    """Measure a day's increment in a small shop and in a large one."""
    with own_services("postgres") as found, closing(found.postgres.connect()) as connection:
        few = _days(connection, small, orders, days)
        start = start_of_spark()
        many = _days(connection, large, orders, days)
    changed = [day.changed_rows for day in few.days + many.days]
    say(f"changed rows of a day: {min(changed):,} to {max(changed):,}")
    say(f"small: {in_starts(few.seconds, start)}; large: {in_starts(many.seconds, start)}")
    values = {
        "changed_rows": round(statistics.median(changed)),
        "small_s": few.seconds,
        "large_s": many.seconds,
        "large_over_small": round(many.seconds / few.seconds, 2),
        "spark_start_s": round(start, 2),
        "small_jobs": few.jobs,
        "large_jobs": many.jobs,
        "large_peak_gib": max(day.took.peak_gib for day in many.days),
    }
    result(values, as_json=json_output)


def _days(connection: Any, scale: float, orders: int, days: int) -> Days:
    """Make the shop at ``scale`` and a lake of it; play and carry one day, which warms up, and ``days`` that count."""
    shop.make(connection, scale)
    lake = HOME / "increment"
    shutil.rmtree(lake, ignore_errors=True)
    env = environment(lake)
    say(f"  first run: {measured(shop.PIPELINE, env)}")
    found = []
    for number in range(days + 1):
        changed = shop.play(connection, orders)
        took = measured(shop.PIPELINE, env)
        say(f"  day {number + 1}: {changed:,} changed rows, {took}{'' if number else ', not counted'}")
        found.append(Day(changed, took))
    shop.play(connection, orders)
    jobs = spark_jobs(shop.PIPELINE, env)
    say(f"  one more day, not timed: {jobs} Spark jobs")
    return Days(found[1:], jobs)


if __name__ == "__main__":
    typer.run(main)
