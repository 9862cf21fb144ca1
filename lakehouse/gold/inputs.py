"""The rows that a transformer is given: read by the driver where they are few, else by Spark."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame

from lakehouse.errors import DataError
from lakehouse.iceberg.consumed import Consumed
from lakehouse.iceberg.find_here import all_rows, ends_of, rows_of
from lakehouse.iceberg.lake import Lake
from lakehouse.iceberg.table import IcebergTable
from lakehouse.iceberg.terms import Term
from lakehouse.matching import Few, searchable
from lakehouse.registry.transformers import Transformer
from lakehouse.spark import frame_of

#: A table of fewer bytes is read by the driver as a whole.
_SMALL = 2**20


Narrow = Callable[[str, Sequence[str], pa.Table, Sequence[str]], Few | None]


def _by_spark(_name: str, _expressions: Sequence[str], _values: pa.Table, _columns: Sequence[str]) -> Few | None:
    return None


@dataclass(frozen=True)
class Inputs:
    """The tables that a transformer reads, by its argument's name, pinned to their snapshots.

    Attributes:
        frames: the rows of each; asked for only where they are needed.
        narrow: the rows of an input in which expressions have one of the combinations of values, in the columns that are
            named, or more of both; ``None`` where they are not few, so that Spark has to look for them.
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
            return frame_of(self._lake.spark, all_rows(table.held_files(snapshot=head), table.arrow_schema()))
        return rows_at(self._lake, table, head)

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)

    def narrow(self, name: str, expressions: Sequence[str], values: pa.Table, columns: Sequence[str]) -> Few | None:
        """See :class:`Inputs`."""
        return _look(self._lake, self._tables[name], self._heads[name], values, expressions, columns)


def _look(
    lake: Lake,
    table: IcebergTable,
    snapshot: int,
    values: pa.Table,
    expressions: Sequence[str],
    columns: Sequence[str],
) -> Few | None:
    """The rows in which ``expressions`` are one of the ``values``, as far as the driver knows the expressions.

    Args:
        columns: those that are wanted; all when none is named.
    """
    if not snapshot or not table.is_read_here():
        return None
    schema = table.arrow_schema()
    terms = [Term.parsed(expression, schema) for expression in expressions]
    known = [(place, term) for place, term in enumerate(terms) if term is not None]
    if not known:
        return None
    looked_for = pa.table([values.column(place) for place, _ in known], [f"term_{place}" for place, _ in known])
    different = looked_for.group_by(looked_for.column_names).aggregate([])
    exactly = len(known) == len(terms)
    wanted = [schema.field(column) for column in (exactly and columns) or schema.names]
    found = rows_of(table, different, wanted, snapshot, [term for _, term in known])
    return None if found is None else Few(frame_of(lake.spark, found), exactly)


def rows_at(lake: Lake, table: IcebergTable, snapshot: int) -> DataFrame:
    """The rows of ``table`` at a snapshot (0: of a table without one), for Spark to read and for the driver to look into."""

    def search(keys: pa.Table, expressions: Sequence[str], columns: Sequence[str]) -> Few | None:
        return _look(lake, table, snapshot, keys, expressions, columns)

    def ends(column: str) -> tuple[Any, Any] | None:
        return ends_of(table, column, snapshot) if snapshot and table.is_read_here() else None

    reader = lake.spark.read
    rows = (reader.option("versionAsOf", snapshot) if snapshot else reader).table(str(table.name))
    return searchable(rows, search, ends)
