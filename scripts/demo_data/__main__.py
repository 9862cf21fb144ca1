"""Generated source data: python -m scripts.demo_data engagement load --scale 1."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import date
from typing import Annotated, Any

import typer
from rich.console import Console

from lakehouse.errors import LakehouseError
from scripts.demo_data import connections
from scripts.demo_data.ecommerce import generator as shop
from scripts.demo_data.engagement import generator
from scripts.demo_data.platform.generator import Platform
from scripts.demo_data.platform.landing import Landing

application = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True, help=__doc__)
engagement = typer.Typer(no_args_is_help=True, help="Users, groups, messages, notifications, purchases, sessions.")
application.add_typer(engagement, name="engagement")
ecommerce = typer.Typer(no_args_is_help=True, help="A shop: customers, orders, parcels, stock. Needs PostgreSQL only.")
application.add_typer(ecommerce, name="ecommerce")
platform = typer.Typer(
    no_args_is_help=True, help="Clicks as files and messages, companies as files, sales as documents."
)
application.add_typer(platform, name="platform")
console = Console(stderr=True)
Seed = Annotated[int, typer.Option(help="Decides every value.")]
Scale = Annotated[float, typer.Option(min=0.001, help="Multiplies the data.")]


@platform.command("load")
def load_platform(scale: Scale = 1, seed: Seed = 7) -> None:
    """Write the first days of files, documents and messages, where there are none yet."""
    with _platform() as found:
        _fill(found.is_empty(), lambda: found.load(scale, seed))


@platform.command("play-day")
def play_platform_day(
    scale: Scale = 1,
    seed: Seed = 7,
    rate: Annotated[
        float | None, typer.Option(min=0.1, help="Messages a second. Default: as fast as they are taken.")
    ] = None,
) -> None:
    """One more day: new rows, late ones, changed and deleted ones, and a file that is written anew."""
    with _platform() as found:
        _play(lambda: found.play_day(scale, seed, rate))


@engagement.command()
def load(scale: Scale = 1, seed: Seed = 7) -> None:
    """Fill the sources, unless they hold data already."""
    with _sources() as (postgres, cassandra):
        generator.create_schema(postgres, cassandra)
        _fill(generator.is_empty(postgres), lambda: generator.load(postgres, cassandra, scale, seed))


@engagement.command("play-day")
def play_day(seed: Seed = 7) -> None:
    """One more day of new, changed, late and deleted rows."""
    with _sources() as (postgres, cassandra):
        _play(lambda: generator.play_day(postgres, cassandra, seed))


@ecommerce.command("load")
def load_shop(scale: Scale = 1, seed: Seed = 7) -> None:
    """Fill the shop, unless it holds data already."""
    with _errors_as_codes(), closing(connections.postgres()) as postgres:
        shop.create_schema(postgres)
        _fill(shop.is_empty(postgres), lambda: shop.load(postgres, scale, seed))


@ecommerce.command("play-day")
def play_shop_day(
    seed: Seed = 7,
    orders: Annotated[int | None, typer.Option(min=1, help="New orders; all else follows. Default: as usual.")] = None,
) -> None:
    """One more day of trading: new, changed, late and deleted rows."""
    with _errors_as_codes(), closing(connections.postgres()) as postgres:
        _play(lambda: shop.play_day(postgres, seed, orders))


def _fill(empty: bool, load: Callable[[], dict[str, int]]) -> None:
    """Load, unless there is data already, and say how many rows there are now."""
    if not empty:
        console.print("the sources hold data already")
        return
    began = time.monotonic()
    for table, count in load().items():
        console.print(f"{table:>22}: {count:>9,} rows")
    console.print(f"generated in {time.monotonic() - began:.1f} s")


def _play(play: Callable[[], date]) -> None:
    began = time.monotonic()
    console.print(f"played {play():%F} in {time.monotonic() - began:.1f} s")


@contextmanager
def _sources() -> Iterator[tuple[Any, Any]]:
    """Connections to PostgreSQL and Cassandra, closed in the end."""
    with _errors_as_codes(), closing(connections.postgres()) as postgres:
        cluster, session = connections.cassandra()
        try:
            yield postgres, session
        finally:
            cluster.shutdown()


@contextmanager
def _platform() -> Iterator[Platform]:
    with _errors_as_codes(), closing(connections.documents()) as documents:
        yield Platform(Landing(connections.landing()), documents, connections.kafka())


@contextmanager
def _errors_as_codes() -> Iterator[None]:
    """An error that this project raises on purpose ends the command with its code."""
    try:
        yield
    except LakehouseError as error:
        console.print(str(error), markup=False, highlight=False, style="red")
        raise SystemExit(int(error.exit_code)) from None


if __name__ == "__main__":
    application()
