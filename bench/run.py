"""How long a whole run of the demo takes when no row changed, and what of it is Spark starting."""

import shutil
from typing import Annotated

import typer

from bench import demo
from bench.common import HOME, environment, measured, profile, result, say, start_of_spark
from lakehouse.orchestrate.plan import select
from lakehouse.registry import loader


def main(
    scale: Annotated[float, typer.Option(min=0.001, help="Scale of both domains.")] = 1,
    shop_scale: Annotated[float | None, typer.Option(min=0.001, help="Another scale of the shop.")] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON object last.")] = False,
) -> None:
    """Measure a first run (said on the way), and a second one without changes."""
    home = HOME / "run"
    shutil.rmtree(home, ignore_errors=True)
    with demo.filled(scale, scale if shop_scale is None else shop_scale):
        first = measured(demo.PIPELINE, environment(home))
        start = start_of_spark()
        say(f"first run: {first.seconds / start:.1f} S, {first}")
        second = measured(demo.PIPELINE, environment(home))
        say(f"nothing changed: {second.seconds / start:.1f} S, {second}")
        tables = len(select(loader.load(profile().registry)))
    result({"run_s": round(second.seconds, 2), "spark_start_s": round(start, 2), "tables": tables}, as_json=json_output)


if __name__ == "__main__":
    typer.run(main)
