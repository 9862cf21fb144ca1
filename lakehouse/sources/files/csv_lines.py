"""CSV files: cells between delimiters, some of them in quotes."""

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import pyarrow as pa

from lakehouse.errors import SourceError
from lakehouse.sources.files.lines import TruncatedError, lines_of
from lakehouse.sources.records import Fields, Path, Records

_MANY = 2_000
_USUAL = ",;\t|"
#: A cell of more letters is taken for a quote that is never closed.
_LONGEST = 2**20


@dataclass(frozen=True)
class Dialect:
    """How cells are written; see :class:`lakehouse.sources.files.options.Options`."""

    delimiter: str
    quote: str
    null: str


@dataclass(frozen=True)
class _Row:
    """Attributes:
    line: of its first cell.
    cells: ``None`` where it is broken; then ``why`` says how.
    """

    line: int
    cells: Sequence[str] | None
    why: str = ""


def batches(
    stream: pa.NativeFile, fields: Fields, dialect: Dialect, names: Sequence[str] | None, doing: str
) -> Iterator[pa.RecordBatch]:
    """The records of a file; a line whose cells are not as many as there are columns is a broken one, a blank line is none.

    Args:
        names: of the columns, where the file does not name them in its first line.

    Raises:
        SourceError: the first line names a column twice, or cannot be read.
    """
    rows = _rows(stream, dialect)
    columns = list(names) if names is not None else _header(rows, doing)
    is_other = bool(columns and fields.roots) and not fields.roots & {name.partition(".")[0] for name in columns}
    while some := list(islice(rows, _MANY)):
        records = Records()
        for row in some:
            if row.cells is None:
                records.add_broken(row.line, row.why)
            elif is_other:
                records.add_broken(row.line, f"the file has other columns, {len(columns)}, and none that is declared")
            elif len(row.cells) != len(columns):
                records.add_broken(row.line, f"{len(row.cells)} cells; the file has {len(columns)} columns")
            else:
                cells = (None if cell == dialect.null else cell for cell in row.cells)
                records.add(row.line, dict(zip(columns, cells, strict=True)))
        yield records.batch(fields, _no_other_values)


def sample(
    stream: pa.NativeFile, dialect: Dialect, most: int, *, header: bool, doing: str
) -> list[dict[str, str | None]]:
    """The first records of a file, those that can be read; without a header, columns are called by their places."""
    rows = _rows(stream, dialect)
    names = _header(rows, doing) if header else None
    found = []
    for row in islice(rows, most):
        if row.cells is not None:
            columns = names or [f"column_{place}" for place in range(1, len(row.cells) + 1)]
            cells = (None if cell == dialect.null else cell for cell in row.cells)
            found.append(dict(zip(columns, cells, strict=False)))
    return found


def likely_delimiter(stream: pa.NativeFile) -> str:
    """What stands between the names in the first line: of what is usual the most frequent."""
    first = next((line for _, lines in lines_of(stream) for line in lines), b"").decode(errors="replace")
    return max(_USUAL, key=first.count)


def _header(rows: Iterator[_Row], doing: str) -> list[str]:
    first = next(rows, None)
    if first is None:
        return []
    if first.cells is None:
        raise SourceError(f"{doing}: the line that names the columns cannot be read: {first.why}.")
    if twice := sorted({name for name in first.cells if list(first.cells).count(name) > 1}):
        raise SourceError(
            f"{doing}: its first line names {', '.join(map(repr, twice))} twice; expected the name of each column once.",
            remedy="Where the first line is a row, write `options: {header: 'false'}` and declare the columns in order.",
        )
    return list(first.cells)


def _rows(stream: pa.NativeFile, dialect: Dialect) -> Iterator[_Row]:
    """The rows of a file. After one that cannot be read it goes on with the line after the one where that began."""
    csv.field_size_limit(_LONGEST)
    source = _decoded(stream)
    waiting: deque[tuple[int, str]] = deque()
    taken: list[tuple[int, str]] = []
    last = 0

    def feed() -> Iterator[str]:
        nonlocal last
        while True:
            item = waiting.popleft() if waiting else next(source, None)
            if item is None:
                return
            taken.append(item)
            last = item[0]
            yield item[1]

    def reader() -> Iterator[list[str]]:
        return csv.reader(feed(), delimiter=dialect.delimiter, quotechar=dialect.quote, strict=True)

    rows = reader()
    while True:
        taken.clear()
        try:
            cells = next(rows, None)
        except TruncatedError as error:
            yield _Row(last + 1, None, f"the rest of the file cannot be decompressed: {error}")
            return
        except csv.Error as error:
            yield _Row(taken[0][0], None, f"no CSV: {error}")
            waiting.extendleft(reversed(taken[1:]))
            rows = reader()
            continue
        if cells is None:
            return
        if cells and any(map(_is_no_text, cells)):
            yield _Row(taken[0][0], None, "a letter that is no UTF-8")
        elif cells:
            yield _Row(taken[0][0], cells)


def _decoded(stream: pa.NativeFile) -> Iterator[tuple[int, str]]:
    """The lines, with their ends; bytes that are no UTF-8 come as letters that no text has."""
    for first, lines in lines_of(stream):
        for number, line in enumerate(lines, first):
            yield number, line.removesuffix(b"\r").decode(errors="surrogateescape") + "\n"


def _is_no_text(cell: str) -> bool:
    return not cell.isascii() and any("\ud800" <= letter <= "\udfff" for letter in cell)


def _no_other_values(number: int, path: Path) -> str:
    raise AssertionError("a cell is a text")
