"""Start and stop the services natively: python -m scripts.services start postgres cassandra."""

import os
import shlex
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from lakehouse.errors import LakehouseError
from scripts.services.control import Services
from scripts.services.env import ensure_env
from scripts.services.settings import PORTS, Home

application = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__, no_args_is_help=True)
console = Console(stderr=True, highlight=False)
Names = Annotated[list[str] | None, typer.Argument(help=f"Some of: {', '.join(PORTS)}. All when none is named.")]
Folder = Annotated[
    Path | None,
    typer.Option("--home", envvar="LAKEHOUSE_SERVICES_HOME", help="Where the data is kept: .lakehouse/services."),
]


@application.command()
def start(names: Names = None, home: Folder = None) -> None:
    """Start services that do not run yet, with what they need."""
    services = _services(home)
    wanted = names or list(PORTS)
    services.check_ports(wanted)
    for name in wanted:
        began = time.monotonic()
        with console.status(f"starting {name}"):
            started = services.start(name)
        what = f"started in {time.monotonic() - began:.1f} s" if name in started else "runs already"
        console.print(f"{name}: {what}, {services.endpoint(name)}")
        if name == "documents" and name in started:
            console.print("documents: a fake that speaks MongoDB's wire protocol, not MongoDB; it asks for no password")
        if name == "rest_catalog" and name in started:
            console.print(
                "rest_catalog: it asks for no password and listens on every interface; stop it in open networks"
            )
        if name == "kafka" and name in started:
            console.print("kafka: it asks for no password, and is reached from this machine only")


@application.command()
def stop(names: Names = None, home: Folder = None) -> None:
    """End the services that were started here."""
    ended = _services(home).stop(*(names or []))
    for name in ended:
        console.print(f"{name}: ended")
    if not ended:
        console.print("none of them ran")


@application.command()
def status(home: Folder = None) -> None:
    """Say which services run."""
    services = _services(home)
    for name in PORTS:
        console.print(f"{name}: {'runs' if services.running(name) else 'does not run'}, {services.endpoint(name)}")


@application.command()
def check(names: Names = None, home: Folder = None) -> None:
    """Check that the ports of services are free, without starting any."""
    _services(home).check_ports(names or list(PORTS))


@application.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def psql(context: typer.Context, home: Folder = None) -> None:
    """Be psql on the application's PostgreSQL, as its administrator; what it is given goes to psql."""
    command, variables = _services(home).postgres.psql(context.args)
    os.execve(command[0], command, os.environ | variables)


@application.command()
def env() -> None:
    """Print the variables of .env as shell exports, for eval; .env is made when it is not there."""
    for name, value in ensure_env().items():
        print(f"export {name}={shlex.quote(value)}")


def _services(home: Path | None) -> Services:
    return Services(Home(home.resolve()) if home else None)


if __name__ == "__main__":
    try:
        application()
    except LakehouseError as error:
        console.print(str(error), style="red", markup=False)
        sys.exit(int(error.exit_code))
