"""Finding few rows of a table by the driver: files by their metrics, rows by the columns that are looked at."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.iceberg.contents import DataFile, Places, Range
from lakehouse.iceberg.keys import positions
from lakehouse.iceberg.table import IcebergTable

#: So many bytes of data files are read by the driver and given to Spark whole; more are Spark's affair.
MOST_READ = 64 * 2**20
#: The same of files that hold rows which are looked for, a batch at a time, and how many such rows there may be.
MOST_SEARCHED, MOST_FOUND = 256 * 2**20, 500_000
#: The types whose bounds in a file are compared with what is looked for.
_RANGED = {pa.int32(), pa.int64(), pa.string(), pa.date32(), pa.timestamp("us", tz="UTC")}


def rows_of(
    target: IcebergTable, values: pa.Table, columns: Sequence[pa.Field], snapshot: int | None = None
) -> pa.Table | None:
    """The rows of ``target`` that hold one of the rows of ``values`` in its columns; NULL is a value.

    Args:
        columns: those that are wanted, fields of the target's schema.
        snapshot: as of which; absent: as it is now.

    Returns:
        ``None`` where too many bytes would have to be read for the driver, or too many rows are found, or the values are of
        types that Spark has to compare with the target's.
    """
    schema, names = pa.schema(columns), values.column_names
    wanted = target.arrow_schema()
    by = pa.schema([wanted.field(name) for name in names])
    same = _as_there(values, by)
    if same is None:
        return None
    found, size, rows = [], 0, 0
    for file in target.held_files(ranges_of(same, names), snapshot):
        places = hits(file, by, same, names)[0]
        if len(places):
            found.append((file, places))
            size, rows = size + file.size, rows + len(places)
            if size > MOST_SEARCHED or rows > MOST_FOUND:  # known before a row is read whole
                return None
    return pa.concat_tables([schema.empty_table(), *(file.at(schema, places) for file, places in found)])


def _as_there(values: pa.Table, by: pa.Schema) -> pa.Table | None:
    """``values`` in the types of ``by``: the same, or other whole numbers that fit; ``None`` where they are not."""
    for mine, field in zip(values.schema, by, strict=True):
        both_whole = pa.types.is_integer(mine.type) and pa.types.is_integer(field.type)
        if mine.type != field.type and not both_whole:
            return None
    try:
        return values.cast(pa.schema([field.remove_metadata() for field in by]))
    except pa.ArrowInvalid:
        return None


def rows_within(
    target: IcebergTable, column: str, within: Range, columns: Sequence[pa.Field], snapshot: int | None = None
) -> pa.Table | None:
    """The rows of ``target`` with a ``column`` within a range, both ends included.

    Args:
        columns, snapshot: see :func:`rows_of`; ``column`` is one of the columns.

    Returns:
        ``None`` where too many bytes would have to be read for the driver.
    """
    files = target.held_files({column: within}, snapshot)
    if sum(file.size for file in files) > MOST_READ:
        return None
    schema = pa.schema(columns)
    low, high = (pa.scalar(end, schema.field(column).type) for end in within)

    def read() -> Iterator[pa.RecordBatch]:
        for file in files:
            for batch in file.batches(schema):
                values = batch.column(column)
                yield batch.filter(pc.and_(pc.greater_equal(values, low), pc.less_equal(values, high)))

    return pa.Table.from_batches(read(), schema)


def all_rows(files: Sequence[DataFile], schema: pa.Schema) -> pa.Table:
    """The rows of ``files``, in the columns of ``schema``, whose fields bear Iceberg's ids."""

    def read() -> Iterator[pa.RecordBatch]:
        for file in files:
            yield from file.batches(schema)

    return pa.Table.from_batches(read(), schema)


def hits(file: DataFile, by: pa.Schema, values: pa.Table, names: Sequence[str]) -> tuple[Places, Places]:
    """The places in ``file`` of the rows with one of ``values``, and for each the place in ``values``."""
    here, there, first = [np.empty(0, np.int64)], [np.empty(0, np.int64)], 0
    for batch in file.batches(by):
        found = positions(pa.Table.from_batches([batch]), values, names)
        hit = np.flatnonzero(pc.is_valid(found).to_numpy(zero_copy_only=False))
        here.append(hit + first)
        there.append(found.drop_null().to_numpy())
        first += batch.num_rows
    return np.concatenate(here), np.concatenate(there)


def ranges_of(values: pa.Table, names: Sequence[str]) -> dict[str, Range]:
    """What the columns of ``values`` lie between, where a file's metrics can be compared with it."""
    found: dict[str, Range] = {}
    for name in names:
        column = values.column(name)
        if column.type in _RANGED and column.null_count == 0 and len(column):
            ends = pc.min_max(column).as_py()
            found[name] = (ends["min"], ends["max"])
    return found
