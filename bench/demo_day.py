"""What the demo's second call costs, its pipeline alone: one more day of both domains, PostgreSQL and Cassandra."""

import shutil
import statistics
from typing import Annotated

import typer

from bench import demo
from bench.common import HOME, environment, in_starts, measured, result, say, spark_jobs, start_of_spark


def main(
    scale: Annotated[float, typer.Option(min=0.001, help="Scale of both domains.")] = 1,
    days: Annotated[int, typer.Option(min=1, help="Days that count, after one that does not; the median is told.")] = 3,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON object last.")] = False,
) -> None:
    """Measure the pipeline of a day, as the demo's second call runs it."""
    home = HOME / "demo"
    shutil.rmtree(home, ignore_errors=True)
    with demo.filled(scale, scale) as sources:
        env = environment(home)
        say(f"first run: {measured(demo.PIPELINE, env)}")
        start = start_of_spark()
        found = []
        for number in range(days + 1):
            sources.play_day()
            found.append(measured(demo.PIPELINE, env))
            say(f"  day {number + 1}: {found[-1].seconds / start:.1f} S, {found[-1]}")
        sources.play_day()
        jobs = spark_jobs(demo.PIPELINE, env)
        say(f"one more day, not timed: {jobs} Spark jobs")
    values = {
        "day_s": round(statistics.median(day.seconds for day in found[1:]), 2),
        "spark_start_s": round(start, 2),
        "jobs": jobs,
        "peak_gib": max(day.peak_gib for day in found[1:]),
    }
    say(f"a day of the demo: {in_starts(values['day_s'], start)}")
    result(values, as_json=json_output)


if __name__ == "__main__":
    typer.run(main)
