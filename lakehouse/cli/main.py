"""The command `lakehouse`: a group of commands, one file each in this package."""

import importlib
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from lakehouse.cli.failure import Command
from lakehouse.errors import suggest

#: Name of each command, which is that of its module and of the function there (a dash is `_` there): examples for its help.
_COMMANDS = {
    "init": ("lakehouse init my_lake",),
    "run": ("lakehouse run", "lakehouse run --tables coupons --layers raw,silver", "lakehouse run --resume"),
    "plan": ("lakehouse plan", "lakehouse plan --exit-code"),
    "sql": (
        "lakehouse sql 'SELECT * FROM coupons_by_day'",
        "lakehouse sql -f question.sql --output answer.csv",
        "lakehouse sql",
    ),
    "new": (
        "lakehouse new coupons --source app_pg --relation public.coupons --domain shop",
        "lakehouse new --source app_pg --schema public --except 'tmp_*' --domain shop",
        "lakehouse new coupons_by_day --mart sql --reads silver.coupons --domain shop",
    ),
    "models": ("lakehouse models", "lakehouse models redeeming", "lakehouse models redeeming 3"),
    "serve-ranking": ("lakehouse serve-ranking", "lakehouse serve-ranking --port 9000 --reload-seconds 30"),
    "dictionary": ("lakehouse dictionary --output docs/dictionary.md",),
}


class _Commands(TyperGroup):
    """Imports a command when it is called for: what all of them need takes longer than most of them."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in _COMMANDS:
            ctx.fail(f"There is no command {cmd_name!r}. {suggest(cmd_name, list(_COMMANDS))}")
        function = cmd_name.replace("-", "_")
        module = importlib.import_module(f"lakehouse.cli.{function}")
        shown = "\n".join(("Examples:", *_COMMANDS[cmd_name]))
        alone = typer.Typer(rich_markup_mode="rich", add_completion=False)
        alone.command(cmd_name, cls=Command, epilog=shown)(getattr(module, function))
        return get_command(alone)


app = typer.Typer(cls=_Commands, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode="rich")


@app.callback()
def _described() -> None:
    """A lakehouse that is described in files and carried by Spark."""


def main() -> None:
    """Run the command that the process's arguments name."""
    app(prog_name="lakehouse")
