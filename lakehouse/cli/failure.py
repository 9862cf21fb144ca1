"""The one place where a command's failure is told: a message without secrets, and an exit code."""

import json
import traceback
from typing import Any

import duckdb
import typer
from typer.core import TyperCommand

from lakehouse.cli.terminal import ERRORS
from lakehouse.errors import ExitCode, LakehouseError
from lakehouse.logs import Redaction
from lakehouse.settings import load_profile

INTERRUPTED = 130


class Command(TyperCommand):
    """A command whose exceptions end it with a message and a code.

    Errors of the project end with their own code, those of DuckDB with 1, an interruption with 130, and what nobody
    expected with 3 and its traceback. The options ``profile`` (whose secrets are taken out) and ``json_lines`` (the
    message is an event on standard output) are those of the command, where it has them.
    """

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort, typer.BadParameter, BrokenPipeError):
            raise
        except KeyboardInterrupt:
            ERRORS.print("interrupted", style="red")
            raise typer.Exit(INTERRUPTED) from None
        except Exception as error:  # noqa: BLE001  (it is told, and ends the command)
            raise typer.Exit(tell(error, ctx.params.get("profile"), ctx.params.get("json_lines", False))) from None


def tell(error: Exception, profile: str | None, json_lines: bool = False) -> int:
    """Print the message of ``error`` without the secrets of ``profile``, and return the exit code that it stands for."""
    match error:
        case LakehouseError():
            code, text = error.exit_code, str(error)
        case duckdb.Error():
            code, text = ExitCode.DATA_FAILURE, f"DuckDB: {error}"
        case _:
            code, text = ExitCode.SYSTEM_FAILURE, "".join(traceback.format_exception(error)).rstrip()
    message = _redaction(profile).text(text)
    if json_lines:
        typer.echo(json.dumps({"event": "error", "message": message, "exit_code": int(code)}))
    else:
        ERRORS.print(message, markup=False, highlight=False, style="red", soft_wrap=True)
    return int(code)


def _redaction(profile: str | None) -> Redaction:
    try:
        return Redaction(load_profile(profile).secrets())
    except LakehouseError:  # the profile is what failed: no secret of it was read
        return Redaction()
