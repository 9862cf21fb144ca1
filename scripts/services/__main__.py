"""Start and stop the services natively: python -m scripts.services start postgres cassandra."""

import shlex
import sys
import time
from typing import Annotated

import typer
from rich.console import Console

from lakehouse.errors import LakehouseError
from scripts.services.control import Services
from scripts.services.settings import HOST, PORTS, ensure_env, port

application = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__, no_args_is_help=True)
console = Console(stderr=True)
Names = Annotated[list[str] | None, typer.Argument(help=f"Some of: {', '.join(PORTS)}.")]


@application.command()
def start(names: Names = None) -> None:
    """Start services that do not run yet, with what they need."""
    services = Services()
    for name in names or list(PORTS):
        began = time.monotonic()
        with console.status(f"starting {name}"):
            started = services.start(name)
        what = f"started in {time.monotonic() - began:.1f} s" if name in started else "runs already"
        console.print(f"{name}: {what}, {HOST}:{port(name)}")


@application.command()
def stop(names: Names = None) -> None:
    """End the services that were started here."""
    for name in Services().stop(*(names or [])):
        console.print(f"{name}: ended")


@application.command()
def status() -> None:
    """Say which services run."""
    services = Services()
    for name in PORTS:
        console.print(f"{name}: {'runs' if services.running(name) else 'does not run'}, {HOST}:{port(name)}")


@application.command()
def check(names: Names = None) -> None:
    """Check that the ports of services are free, without starting any."""
    Services().check_ports(names or list(PORTS))


@application.command()
def env() -> None:
    """Print the variables of .env as shell exports; .env is made when it is not there."""
    for name, value in ensure_env().items():
        print(f"export {name}={shlex.quote(value)}")


if __name__ == "__main__":
    try:
        application()
    except LakehouseError as error:
        console.print(f"[red]{error}[/red]", highlight=False)
        sys.exit(int(error.exit_code))
