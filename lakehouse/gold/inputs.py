"""The rows that a transformer is given: read by the driver where they are few, else by Spark."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame

from lakehouse.errors import DataError
from lakehouse.iceberg.consumed import Consumed
from lakehouse.iceberg.find_here import all_rows, rows_of, rows_within
from lakehouse.iceberg.lake import Lake
from lakehouse.iceberg.table import IcebergTable
from lakehouse.registry.transformers import Transformer
from lakehouse.spark import frame_of

#: Rows take about so many times the bytes in Arrow that they take in a data file.
_ARROW_TO_FILE = 5
#: A table of fewer bytes is read by the driver as a whole.
_SMALL = 2**20
#: The longest of the spans that `trunc` cuts to, a year.
_SPAN = timedelta(days=366)
#: What gives a day that is not after the moment in its column, and the column.
_DAY_OF = re.compile(r"(?:to_date\((?P<day>\w+)\)|trunc\((?P<span>\w+), *'\w+'\))", re.IGNORECASE)


@dataclass(frozen=True)
class Few:
    """Rows of an input that the driver found.

    Attributes:
        exactly: whether they are only those that were looked for.
        size: about how many bytes they would take in data files.
    """

    rows: DataFrame
    exactly: bool
    size: int = 0


Narrow = Callable[[str, Sequence[str], pa.Table], Few | None]


def day_column(expression: str, moments: Collection[str]) -> str | None:
    """The column of which ``expression`` gives the day, or the first day of a span of time; ``None`` of any other.

    Args:
        moments: the columns that hold days or moments.
    """
    found = _DAY_OF.fullmatch(expression.strip())
    column = (found["day"] or found["span"]) if found else None
    return column if column in moments else None


def _first_day_of(expressions: Sequence[str], moments: Collection[str]) -> tuple[int, str] | None:
    """The place of the first expression that gives a day of one of the columns ``moments``, and that column."""
    found = ((place, day_column(text, moments)) for place, text in enumerate(expressions))
    return next(((place, column) for place, column in found if column), None)


def _moments(schema: pa.Schema) -> set[str]:
    return {field.name for field in schema if pa.types.is_date(field.type) or pa.types.is_timestamp(field.type)}


def _by_spark(_name: str, _expressions: Sequence[str], _values: pa.Table) -> Few | None:
    return None


@dataclass(frozen=True)
class Inputs:
    """The tables that a transformer reads, by its argument's name, pinned to their snapshots.

    Attributes:
        frames: the rows of each; asked for only where they are needed.
        narrow: the rows of an input in which expressions have one of the combinations of values, and maybe others; ``None``
            where they are not few, so that Spark has to look for them.
    """

    tables: Mapping[str, IcebergTable]
    heads: Mapping[str, int]
    frames: Mapping[str, DataFrame]
    narrow: Narrow = _by_spark


def inputs_of(transformer: Transformer, lake: Lake, before: Consumed | None) -> Inputs:
    """The inputs as they are now.

    Args:
        before: what the table was made from last.

    Raises:
        DataError: one holds nothing, not even a snapshot, although the table was made from one: it was lost or made anew.
    """
    tables, heads = {}, {}
    for name, read in transformer.reads.items():
        table = lake.catalog.get(read)
        head = table.head
        if head is None and before is not None and before.inputs.get(read.dotted):
            raise DataError(
                f"making {transformer.target.dotted}: its input {read.dotted} has no snapshot, and was made from one of it "
                "before; expected that an input keeps its content until it is replaced. Gold is as it was.",
                remedy=f"Make {read.dotted} first: run again without --layers gold.",
            )
        tables[name], heads[name] = table, head or 0
    rows = _Rows(lake, tables, heads)
    return Inputs(tables, heads, rows, rows.narrow)


class _Rows(Mapping[str, DataFrame]):
    """The rows of each input, pinned to its snapshot."""

    def __init__(self, lake: Lake, tables: Mapping[str, IcebergTable], heads: Mapping[str, int]) -> None:
        self._lake, self._tables, self._heads = lake, tables, heads

    def __getitem__(self, name: str) -> DataFrame:
        table, head = self._tables[name], self._heads[name]
        if head and table.size <= _SMALL and table.is_read_here():
            return self._frame(all_rows(table.held_files(snapshot=head), table.arrow_schema()))
        reader = self._lake.spark.read
        return (reader.option("versionAsOf", head) if head else reader).table(str(table.name))

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)

    def narrow(self, name: str, expressions: Sequence[str], values: pa.Table) -> Few | None:
        """See :class:`Inputs`."""
        table, head = self._tables[name], self._heads[name]
        if not head or not table.is_read_here():
            return None
        schema = table.arrow_schema()
        found, exactly = None, set(expressions) <= set(schema.names)
        if exactly:
            found = rows_of(table, values.rename_columns(list(expressions)), list(schema), head)
        elif (day := _first_day_of(expressions, _moments(schema))) is not None:
            place, column = day
            days = values.column(place)
            if days.type == pa.date32() and days.null_count == 0:
                found = rows_within(table, column, _span(days, schema.field(column).type), list(schema), head)
        return None if found is None else Few(self._frame(found), exactly, found.nbytes // _ARROW_TO_FILE)

    def _frame(self, rows: pa.Table) -> DataFrame:
        return frame_of(self._lake.spark, rows)


def _span(days: pa.ChunkedArray, kind: pa.DataType) -> tuple[date, date]:
    """What days, or moments (UTC) where ``kind`` is of moments, lie between that are cut to one of ``days``."""
    ends = pc.min_max(days).as_py()
    span = ends["min"], min(ends["max"], date.max - _SPAN) + _SPAN
    if not pa.types.is_timestamp(kind):
        return span
    first, last = (datetime.combine(day, time(), UTC) for day in span)
    return first, last
