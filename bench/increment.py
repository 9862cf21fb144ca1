"""What a day of the shop costs, at two sizes of the shop, with the same number of changed rows.

The shop is made in a PostgreSQL of the benchmark's own, in the small size and then in the large one; in each a lake gets a
first run, and days are played and carried. Cost that follows what changed is alike at both; cost that follows what there is
grows with the size.
"""

import os
import shutil
import socket
import statistics
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Annotated, Any

import typer

from bench.common import HOME, environment, measured, result, say, services
from scripts.demo_data.ecommerce import generator
from scripts.services.control import Services
from scripts.services.settings import HOST, PORTS, ROOT, Home

_PIPELINE = [sys.executable, str(ROOT / "scripts" / "run_pipeline.py"), "--domains", "ecommerce"]


@dataclass(frozen=True)
class Day:
    """What a played day brought, and what carrying it took."""

    changed_rows: int
    seconds: float


def main(
    small: Annotated[float, typer.Option(min=0.001, help="Scale of the small shop.")] = 2,
    large: Annotated[float, typer.Option(min=0.001, help="Scale of the large shop.")] = 20,
    orders: Annotated[int, typer.Option(min=1, help="New orders of a day; all other changes follow.")] = 370,
    days: Annotated[int, typer.Option(min=1, help="Days that count, after one that does not; the median is told.")] = 3,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON object last.")] = False,
) -> None:
    """Measure a day's increment in a small shop and in a large one."""
    with _own_postgres() as found, closing(found.postgres.connect()) as connection:
        few = _days(connection, small, orders, days)
        many = _days(connection, large, orders, days)
    changed = [day.changed_rows for day in few + many]
    say(f"changed rows of a day: {min(changed):,} to {max(changed):,}")
    values = {
        "changed_rows": round(statistics.median(changed)),
        "small_s": round(statistics.median(day.seconds for day in few), 2),
        "large_s": round(statistics.median(day.seconds for day in many), 2),
    }
    result(values, as_json=json_output)


def _days(connection: Any, scale: float, orders: int, days: int) -> list[Day]:
    """Make the shop at ``scale`` and a lake of it; play and carry one day, which warms up, and ``days`` that count."""
    say(f"the shop at scale {scale:g}")
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS shop CASCADE")
    generator.create_schema(connection)
    rows = generator.load(connection, scale)
    say(f"  {rows['orders']:,} orders, {sum(rows.values()):,} rows")
    lake = HOME / "increment"
    shutil.rmtree(lake, ignore_errors=True)
    say(f"  first run: {measured(_PIPELINE, environment(lake))}")
    found = []
    for number in range(days + 1):
        day = generator.play_day(connection, orders=orders)
        changed = generator.changed_rows(connection, datetime.combine(day, time(), UTC))
        took = measured(_PIPELINE, environment(lake))
        say(f"  {day:%F}: {changed:,} changed rows, {took}{'' if number else ', not counted'}")
        found.append(Day(changed, took.seconds))
    return found[1:]


@contextmanager
def _own_postgres() -> Iterator[Services]:
    """A PostgreSQL beside the demo's, on a free port; ended, and its data thrown away."""
    home = Home(HOME / "services")
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        os.environ[PORTS["postgres"][1]] = str(probe.getsockname()[1])
    found = services("postgres", home=home)
    try:
        yield found
    finally:
        found.stop()
        shutil.rmtree(home.folder, ignore_errors=True)


if __name__ == "__main__":
    typer.run(main)
