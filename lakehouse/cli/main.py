"""The command `lakehouse`: a group of commands, one file each in this package."""

from collections.abc import Callable

import typer

from lakehouse.cli.dictionary import dictionary
from lakehouse.cli.failure import Command
from lakehouse.cli.init import init
from lakehouse.cli.new import new
from lakehouse.cli.plan import plan
from lakehouse.cli.run import run
from lakehouse.cli.sql import sql

app = typer.Typer(
    name="lakehouse",
    help="A lakehouse that is described in files and carried by Spark.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def main() -> None:
    """Run the command that the process's arguments name."""
    app(prog_name="lakehouse")


def _add(command: Callable[..., None], *examples: str) -> None:
    """Add ``command`` under its function's name; ``examples`` stand at the end of its help."""
    shown = "\n".join(("Examples:", *(f"  {example}" for example in examples)))
    app.command(cls=Command, epilog=shown)(command)


_add(init, "lakehouse init my_lake")
_add(run, "lakehouse run", "lakehouse run --tables users,groups --layers raw,silver", "lakehouse run --resume")
_add(plan, "lakehouse plan", "lakehouse plan --exit-code")
_add(sql, "lakehouse sql 'SELECT segment, count(*) FROM customer_360 GROUP BY segment'")
_add(
    new,
    "lakehouse new coupons --source app_pg --relation public.coupons --domain shop",
    "lakehouse new coupons_by_day --mart sql --reads silver.coupons --domain shop",
)
_add(dictionary, "lakehouse dictionary --output docs/dictionary.md")
