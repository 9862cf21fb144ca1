"""`lakehouse sql`: a question to the lake, by DuckDB."""

from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lakehouse.cli.options import ProfileName
from lakehouse.query.attach import attached, opened, show_layers
from lakehouse.settings import load_profile


def sql(
    query: Annotated[str, typer.Argument(help="SQL of DuckDB.")],
    profile: ProfileName = None,
    attach: Annotated[
        bool, typer.Option("--attach", help="Attach the REST catalog: tables are lake.gold.<table>.")
    ] = False,
) -> None:
    """Ask the lake a question: gold by name, what is behind it as silver.<table>, quarantine.<table>, raw.<table>."""
    settings = load_profile(profile)
    with attached(settings) if attach else opened(settings) as connection:
        if not attach:
            show_layers(connection, settings, query)
        result = connection.sql(query)
        if result is None:
            return
        table = Table(*result.columns)
        for row in result.fetchmany(1000):
            table.add_row(*(escape(str(value)) for value in row))
        Console().print(table)
