"""How long a whole run of the demo takes when no row changed, and what of it is Spark starting."""

import shutil
import sys
from contextlib import closing
from typing import Annotated

import typer

from bench.common import HOME, environment, profile, result, say, services, start_of_spark, timed
from lakehouse.registry import loader
from scripts.demo_data.ecommerce import generator as shop
from scripts.demo_data.engagement import generator as engagement
from scripts.services.settings import ROOT


def main(
    scale: Annotated[float, typer.Option(min=0.001)] = 1,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON object last.")] = False,
) -> None:
    """Measure a first run (said on the way), and a second one without changes."""
    found = services("postgres", "cassandra")
    cluster = found.cassandra.cluster()
    with closing(found.postgres.connect()) as postgres:
        session = cluster.connect()
        engagement.create_schema(postgres, session)
        if engagement.is_empty(postgres):
            say(f"generating engagement at scale {scale:g}")
            engagement.load(postgres, session, scale, seed=7)
        shop.create_schema(postgres)
        if shop.is_empty(postgres):
            say(f"generating ecommerce at scale {scale:g}")
            shop.load(postgres, scale, seed=7)
    cluster.shutdown()
    shutil.rmtree(HOME, ignore_errors=True)
    say("Spark alone")
    start = start_of_spark()
    pipeline = [sys.executable, str(ROOT / "scripts" / "run_pipeline.py")]
    say(f"first run: {timed(pipeline, environment(HOME / 'run')):.1f} s")
    second = timed(pipeline, environment(HOME / "run"))
    tables = len(loader.load(profile().registry).targets())
    result({"run_s": round(second, 2), "spark_start_s": round(start, 2), "tables": tables}, as_json=json_output)


if __name__ == "__main__":
    typer.run(main)
