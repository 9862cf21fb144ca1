"""Results of queries: their first rows as text for people, or all of them in a file for programs. Times are in UTC."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import duckdb

SHOWN = 1000
_VIEW = "lakehouse_result"
_NUMBERS = ("DECIMAL", "DOUBLE", "FLOAT", "HUGEINT", "UHUGEINT", "BIGNUM")


class Format(StrEnum):
    """How a result is written; but for ``TABLE`` it is complete."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


@dataclass(frozen=True)
class Rows:
    """The first rows of a result.

    Attributes:
        columns: names, those that are there twice numbered.
        numeric: for each column, whether it holds numbers.
        rows: the values as DuckDB spells them, NULL as ``None``.
        total: how many rows the whole result has.
    """

    columns: tuple[str, ...]
    numeric: tuple[bool, ...]
    rows: tuple[tuple[str | None, ...], ...]
    total: int


def first_rows(result: duckdb.DuckDBPyRelation, limit: int = SHOWN) -> Rows:
    """The first ``limit`` rows of ``result``; the others are only counted.

    Raises:
        duckdb.Error: the query fails while it runs.
    """
    kinds = [str(kind) for kind in result.types]
    texts = result.project("CAST(COLUMNS(*) AS VARCHAR)")
    rows: list[tuple[str | None, ...]] = []
    total = 0
    for batch in texts.to_arrow_reader(limit):
        if len(rows) < limit:
            columns = [column.to_pylist() for column in batch.slice(0, limit - len(rows)).columns]
            rows += zip(*columns, strict=True)
        total += batch.num_rows
    return Rows(tuple(texts.columns), tuple(map(_is_number, kinds)), tuple(rows), total)


def write(connection: duckdb.DuckDBPyConnection, result: duckdb.DuckDBPyRelation, form: Format, path: Path) -> None:
    """Write all rows of ``result``, of ``connection``, to ``path``: CSV with a head, a JSON array of objects, or Parquet.

    In CSV NULL is nothing and an empty text is ``""``. JSON has no NaN and no infinity: they are ``null``. Parquet has
    no integer of 128 bits: it is a decimal of 38 digits.

    Raises:
        duckdb.Error: the query fails while it runs, or the file cannot be written.
        ValueError: ``form`` is no format of files.
    """
    match form:
        case Format.CSV:
            result.write_csv(str(path))
        case Format.PARQUET:
            _replacing(result, ("HUGEINT",), "CAST({} AS DECIMAL(38, 0))").write_parquet(str(path))
        case Format.JSON:
            finite = _replacing(result, ("DOUBLE", "FLOAT"), "CASE WHEN isfinite({0}) THEN {0} END")
            file = "'" + str(path).replace("'", "''") + "'"
            finite.query(_VIEW, f"COPY {_VIEW} TO {file} (FORMAT json, ARRAY true)")
            connection.execute(f"DROP VIEW temp.{_VIEW}")
        case _:
            raise ValueError(f"a file of format {form}")


def _is_number(kind: str) -> bool:
    return kind.startswith(_NUMBERS) or kind.endswith("INT") or kind in {"INTEGER", "UINTEGER"}


def _replacing(result: duckdb.DuckDBPyRelation, kinds: tuple[str, ...], expression: str) -> duckdb.DuckDBPyRelation:
    """``result`` with ``expression`` in place of each column of one of these types."""
    named = zip(result.columns, (str(kind) for kind in result.types), strict=True)
    quoted = ['"' + name.replace('"', '""') + '"' for name, kind in named if kind in kinds]
    if not quoted:
        return result
    return result.project(f"* REPLACE ({', '.join(f'{expression.format(name)} AS {name}' for name in quoted)})")
