"""Generated source data: python -m scripts.demo_data engagement load --scale 1."""

import time
from collections.abc import Callable
from contextlib import closing
from typing import Annotated, Any

import typer
from rich.console import Console

from scripts.demo_data.engagement import generator
from scripts.services.control import Services

application = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True, help=__doc__)
engagement = typer.Typer(no_args_is_help=True, help="Users, groups, messages, notifications, purchases, sessions.")
application.add_typer(engagement, name="engagement")
console = Console(stderr=True)
Seed = Annotated[int, typer.Option(help="Decides every value.")]


@engagement.command()
def load(scale: Annotated[float, typer.Option(min=0.001, help="Multiplies the data.")] = 1, seed: Seed = 7) -> None:
    """Fill the sources, unless they hold data already."""
    _with_sources(lambda postgres, cassandra: _load(postgres, cassandra, scale, seed))


@engagement.command("play-day")
def play_day(seed: Seed = 7) -> None:
    """One more day of new, changed, late and deleted rows."""
    _with_sources(
        lambda postgres, cassandra: console.print(f"played {generator.play_day(postgres, cassandra, seed):%F}")
    )


def _load(postgres: Any, cassandra: Any, scale: float, seed: int) -> None:
    generator.create_schema(postgres, cassandra)
    if not generator.is_empty(postgres):
        console.print("the sources hold data already")
        return
    began = time.monotonic()
    for table, count in generator.load(postgres, cassandra, scale, seed).items():
        console.print(f"{table:>22}: {count:>9,} rows")
    console.print(f"generated in {time.monotonic() - began:.0f} s")


def _with_sources(work: Callable[[Any, Any], None]) -> None:
    services = Services()
    cluster = services.cassandra.cluster()
    try:
        session = cluster.connect()
        with closing(services.postgres.connect()) as postgres:
            work(postgres, session)
    finally:
        cluster.shutdown()


if __name__ == "__main__":
    application()
