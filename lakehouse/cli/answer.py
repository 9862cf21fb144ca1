"""How `lakehouse sql` shows an answer: a table for people, or a format for programs."""

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lakehouse.cli.terminal import ERRORS, results
from lakehouse.errors import ConfigurationError
from lakehouse.query.results import Format, Rows, first_rows, write

_ANY_WIDTH = 1_000_000
_SUFFIXES = {f".{form}": form for form in Format if form is not Format.TABLE}


def chosen(form: Format | None, output: Path | None) -> Format:
    """The format of an answer: the one asked for, else by the suffix of ``output``, else a table.

    Raises:
        ConfigurationError: ``output`` names no format, or its folder is not there; Parquet would go to a terminal.
    """
    if output is not None and not output.absolute().parent.is_dir():
        raise ConfigurationError(f"--output {output}: there is no folder {output.parent}.", remedy="Make it first.")
    if output is not None and form is None and output.suffix not in _SUFFIXES:
        raise ConfigurationError(
            f"--output {output}: its suffix names no format; expected one of {', '.join(_SUFFIXES)}.",
            remedy="Pass --format.",
        )
    form = form or (Format.TABLE if output is None else _SUFFIXES[output.suffix])
    if form is Format.PARQUET and output is None and sys.stdout.isatty():
        raise ConfigurationError("--format parquet: a terminal cannot show it.", remedy="Pass --output FILE.")
    return form


def give(
    connection: duckdb.DuckDBPyConnection, result: duckdb.DuckDBPyRelation, form: Format, output: Path | None
) -> None:
    """Show ``result`` on standard output, or write it to ``output``, which is replaced at once."""
    if form is Format.TABLE and output is None:
        show(first_rows(result), results())
        return
    with TemporaryDirectory(dir=output.absolute().parent if output else None) as folder:
        file = Path(folder) / "result"
        if form is Format.TABLE:
            with file.open("w", encoding="utf-8") as text:
                show(first_rows(result), Console(file=text, width=_ANY_WIDTH))
        else:
            write(connection, result, form, file)
        if output is not None:
            file.replace(output)
            return
        with file.open("rb") as source:
            shutil.copyfileobj(source, typer.get_binary_stream("stdout"))


def show(rows: Rows, console: Console) -> None:
    """Print ``rows`` as a table, or where that is wider than the console, each row as columns and values."""
    table = _table(rows)
    if console.measure(table, options=console.options.update(max_width=_ANY_WIDTH)).maximum <= console.width:
        console.print(table)
    else:
        for number, row in enumerate(rows.rows, start=1):
            console.print(_record(number, rows, row))
    if not rows.total:
        ERRORS.print("no rows")
    elif rows.total > len(rows.rows):
        ERRORS.print(
            f"cut: {len(rows.rows):,} of {rows.total:,} rows are shown; --format csv, json or parquet gives all",
            highlight=False,
        )


def _table(rows: Rows) -> Table:
    table = Table()
    for name, numeric in zip(rows.columns, rows.numeric, strict=True):
        table.add_column(Text(name), justify="right" if numeric else "left", overflow="fold")
    for row in rows.rows:
        table.add_row(*map(_cell, row))
    return table


def _record(number: int, rows: Rows, row: tuple[str | None, ...]) -> Table:
    table = Table("column", "value", title=f"row {number:,}", title_justify="left", box=box.SIMPLE_HEAD)
    for name, value in zip(rows.columns, row, strict=True):
        table.add_row(Text(name), _cell(value))
    return table


def _cell(value: str | None) -> Text:
    return Text("NULL", style="dim") if value is None else Text(value)
