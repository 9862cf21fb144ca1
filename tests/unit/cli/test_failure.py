"""Whatever ends a command is told once, without secrets, with the code of what it is."""

import json

import duckdb
import pytest
import typer
from typer.testing import CliRunner

from lakehouse.cli.failure import Command
from lakehouse.cli.options import JsonLines, ProfileName
from lakehouse.errors import AlreadyRunningError, DataError, LakehouseError
from tests.unit.cli.conftest import PASSWORD, Lakehouse

pytestmark = pytest.mark.usefixtures("root")


def _failing(error: BaseException) -> typer.Typer:
    app = typer.Typer()

    @app.command(cls=Command)
    def fail(profile: ProfileName = None, json_lines: JsonLines = False) -> None:
        raise error

    return app


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (DataError(f"table x: {PASSWORD} was found.", remedy="Mend it."), 1, "table x: [secret] was found. Mend it.\n"),
        (AlreadyRunningError("another run is under way."), 4, "another run is under way.\n"),
        (LakehouseError("at postgresql://me:hidden@there/app"), 3, "at postgresql://me:[secret]@there/app\n"),
        (duckdb.CatalogException("no table y"), 1, "DuckDB: no table y\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
    ],
)
def test_the_message_is_redacted_and_the_code_is_the_errors(error: BaseException, code: int, said: str) -> None:
    done = CliRunner().invoke(_failing(error))
    assert (done.exit_code, done.stderr, done.stdout) == (code, said, "")


def test_what_nobody_expected_shows_its_traceback_without_secrets() -> None:
    done = CliRunner().invoke(_failing(ValueError(f"bad {PASSWORD}")))
    assert done.exit_code == 3
    assert done.stderr.startswith("Traceback")
    assert "ValueError: bad [secret]" in done.stderr


def test_with_json_the_message_is_an_event() -> None:
    done = CliRunner().invoke(_failing(DataError(f"x {PASSWORD}")), ["--json"])
    assert json.loads(done.stdout) == {"event": "error", "message": "x [secret]", "exit_code": 1}
    assert (done.exit_code, done.stderr) == (1, "")


def test_a_profile_that_is_not_there_is_named(lakehouse: Lakehouse) -> None:
    done = lakehouse("plan", "--profile", "nowhere")
    assert done.exit_code == 2
    assert "there is no profile 'nowhere'" in done.stderr
    assert "the profiles are: own" in done.stderr


@pytest.mark.parametrize("command", ["run", "plan", "sql", "new", "dictionary"])
def test_the_help_of_each_command_shows_an_example(lakehouse: Lakehouse, command: str) -> None:
    assert f"\n lakehouse {command}" in lakehouse(command, "--help").stdout
    assert f" {command} " in lakehouse("--help").stdout


@pytest.mark.parametrize("arguments", [["run", "--tabels", "x"], ["plan", "x"], ["dictonary"]])
def test_what_is_no_command_or_option_ends_with_2(lakehouse: Lakehouse, arguments: list[str]) -> None:
    assert lakehouse(*arguments).exit_code == 2


def test_a_command_that_is_mistyped_is_suggested(lakehouse: Lakehouse) -> None:
    assert "There is no command 'dictonary'. Did you mean 'dictionary'?" in lakehouse("dictonary").stderr
