"""`lakehouse sql`: questions to the lake, by DuckDB."""

import sys
from pathlib import Path
from typing import Annotated

import duckdb
import typer

from lakehouse.cli.answer import chosen, give
from lakehouse.cli.failure import tell
from lakehouse.cli.options import ProfileName
from lakehouse.cli.prompt import NameCompleter, converse
from lakehouse.cli.terminal import ERRORS
from lakehouse.errors import ConfigurationError
from lakehouse.iceberg.metadata import LakeMetadata
from lakehouse.query.attach import attached, opened, show_layers
from lakehouse.query.names import Names
from lakehouse.query.results import Format
from lakehouse.settings import Profile, load_profile

_HELLO = "gold by name, what is behind it as silver.<table>; a query ends with ; and Ctrl-D leaves"


def sql(
    query: Annotated[str | None, typer.Argument(help="SQL of DuckDB; - reads it from standard input.")] = None,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", exists=True, dir_okay=False, help="Read the query from a file.")
    ] = None,
    form: Annotated[
        Format | None, typer.Option("--format", help="By default that of --output's suffix, else table.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", dir_okay=False, help="Write the answer to this file.")
    ] = None,
    attach: Annotated[
        bool, typer.Option("--attach", help="Attach the REST catalog: tables are lake.gold.<table>.")
    ] = False,
    profile: ProfileName = None,
) -> None:
    """Ask the lake: gold by name, what is behind it as silver.<table>, quarantine.<table>, raw.<table>.

    Times are in UTC. A table shows at most 1,000 rows, and rows that are too wide one below the other; the other
    formats are complete. Without a query, a terminal gets a prompt.
    """
    text = _query(query, file)
    form = chosen(form, output)
    settings = load_profile(profile)
    with attached(settings) if attach else opened(settings, text or "") as connection:

        def ask(question: str) -> None:
            _answer(connection, None if attach else settings, question, form, output)

        if text is not None:
            ask(text)
            return
        if output is not None:
            raise ConfigurationError("--output needs a query.", remedy="Pass one, or -f FILE.")
        ERRORS.print(_HELLO, highlight=False)
        names = Names(connection, None if attach else LakeMetadata(settings))
        history = settings.analytics.parent / "sql_history"
        converse(ask, lambda error: tell(error, profile), NameCompleter(names), history)


def _query(query: str | None, file: Path | None) -> str | None:
    """The query that was asked; ``None`` where a person is to be asked for it."""
    if query is not None and file is not None:
        raise ConfigurationError("a query and --file: found both.", remedy="Pass one of them.")
    if file is not None:
        return file.read_text(encoding="utf-8")
    if query == "-" or (query is None and not sys.stdin.isatty()):
        query = sys.stdin.read()
        if not query.strip():
            raise ConfigurationError("standard input holds no query.", remedy="Pass one, or -f FILE.")
    return query


def _answer(
    connection: duckdb.DuckDBPyConnection, lake: Profile | None, query: str, form: Format, output: Path | None
) -> None:
    """Answer ``query``; ``lake`` is the profile whose tables behind gold it may name."""
    try:
        if lake is not None:
            show_layers(connection, lake, query)
        result = connection.sql(query)
        if result is not None:
            give(connection, result, form, output)
    except RuntimeError as error:  # what DuckDB makes of an interruption
        if isinstance(error.__cause__, KeyboardInterrupt):
            raise KeyboardInterrupt from None
        raise
