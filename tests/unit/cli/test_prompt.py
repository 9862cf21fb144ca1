"""The prompt: queries end with a semicolon, errors do not end it, names are completed, what was asked is remembered."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from lakehouse.cli.prompt import NameCompleter, converse
from lakehouse.errors import ConfigurationError
from lakehouse.query.names import Names


@pytest.fixture
def completer() -> Iterator[NameCompleter]:
    with duckdb.connect() as connection:
        connection.execute("ATTACH ':memory:' AS gold; USE gold")
        connection.execute("CREATE TABLE coupons (code text, created_at date); CREATE TABLE users (id int, email text)")
        yield NameCompleter(Names(connection, None))


def _completed(completer: NameCompleter, text: str, rest: str = "") -> list[str]:
    document = Document(text + rest, cursor_position=len(text))
    return [found.text for found in completer.get_completions(document, CompleteEvent())]


def test_tables_columns_and_words_are_completed(completer: NameCompleter) -> None:
    assert _completed(completer, "FROM cou") == ["coupons", "count(*)"]
    assert _completed(completer, "SELECT em") == ["email"]
    assert _completed(completer, "SELECT c", " FROM coupons") == ["coupons", "code", "created_at", "CASE", "count(*)"]
    assert _completed(completer, "SELECT x.c", " FROM gold.coupons AS x") == ["code", "created_at"]
    assert _completed(completer, "SELECT email ", " FROM users") == []


def _conversation(typed: str, completer: NameCompleter, history: Path) -> tuple[list[str], list[str]]:
    asked: list[str] = []
    told: list[str] = []

    def ask(query: str) -> None:
        asked.append(query)
        if "broken" in query:
            raise ConfigurationError("broken")

    with create_pipe_input() as keys, create_app_session(input=keys, output=DummyOutput()):
        keys.send_text(typed)
        converse(ask, lambda error: told.append(str(error)), completer, history)
    return asked, told


def test_a_query_ends_with_a_semicolon_and_an_error_ends_nothing(completer: NameCompleter, tmp_path: Path) -> None:
    history = tmp_path / "new" / "sql_history"
    asked, told = _conversation("SELECT 1,\r2;\rbroken;\r\rFROM users;\rexit\r", completer, history)
    assert (asked, told) == (["SELECT 1,\n2;", "broken;", "FROM users;"], ["broken"])
    assert "FROM users;" in history.read_text()


def test_ctrl_c_drops_a_line_and_ctrl_d_leaves(completer: NameCompleter, tmp_path: Path) -> None:
    asked, _ = _conversation("SELECT \x03FROM users;\r\x04", completer, tmp_path / "history")
    assert asked == ["FROM users;"]
