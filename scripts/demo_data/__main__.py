"""Generated source data: python -m scripts.demo_data engagement load --scale 1."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console

from lakehouse.errors import LakehouseError
from scripts.demo_data import connections
from scripts.demo_data.engagement import generator

application = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True, help=__doc__)
engagement = typer.Typer(no_args_is_help=True, help="Users, groups, messages, notifications, purchases, sessions.")
application.add_typer(engagement, name="engagement")
console = Console(stderr=True)
Seed = Annotated[int, typer.Option(help="Decides every value.")]


@engagement.command()
def load(scale: Annotated[float, typer.Option(min=0.001, help="Multiplies the data.")] = 1, seed: Seed = 7) -> None:
    """Fill the sources, unless they hold data already."""
    with _sources() as (postgres, cassandra):
        generator.create_schema(postgres, cassandra)
        if not generator.is_empty(postgres):
            console.print("the sources hold data already")
            return
        began = time.monotonic()
        for table, count in generator.load(postgres, cassandra, scale, seed).items():
            console.print(f"{table:>22}: {count:>9,} rows")
        console.print(f"generated in {time.monotonic() - began:.1f} s")


@engagement.command("play-day")
def play_day(seed: Seed = 7) -> None:
    """One more day of new, changed, late and deleted rows."""
    with _sources() as (postgres, cassandra):
        began = time.monotonic()
        day = generator.play_day(postgres, cassandra, seed)
        console.print(f"played {day:%F} in {time.monotonic() - began:.1f} s")


@contextmanager
def _sources() -> Iterator[tuple[Any, Any]]:
    """Connections to both sources; an error that this project raises on purpose ends the command with its code."""
    try:
        with closing(connections.postgres()) as postgres:
            cluster, session = connections.cassandra()
            try:
                yield postgres, session
            finally:
                cluster.shutdown()
    except LakehouseError as error:
        console.print(str(error), markup=False, highlight=False, style="red")
        raise SystemExit(int(error.exit_code)) from None


if __name__ == "__main__":
    application()
