"""The shop that benchmarks trade in, of the size that is asked for, played day by day."""

import sys
from datetime import UTC, datetime, time
from typing import Any

from bench.common import say
from scripts.demo_data.ecommerce import generator
from scripts.services.settings import ROOT

#: The run of the shop's domain, as a user calls it.
PIPELINE = (sys.executable, str(ROOT / "scripts" / "run_pipeline.py"), "--domains", "ecommerce")


def make(connection: Any, scale: float) -> None:
    """Make the shop anew at ``scale``, in place of one that is there."""
    say(f"the shop at scale {scale:g}")
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS shop CASCADE")
    generator.create_schema(connection)
    rows = generator.load(connection, scale)
    say(f"  {rows['orders']:,} orders, {sum(rows.values()):,} rows")


def play(connection: Any, orders: int) -> int:
    """Play one more day with ``orders`` new orders; returns how many rows were inserted or changed, deletes apart."""
    day = generator.play_day(connection, orders=orders)
    return generator.changed_rows(connection, datetime.combine(day, time(), UTC))
