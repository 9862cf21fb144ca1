"""Finding few rows of a table by the driver: files by their metrics, rows by the columns that are looked at."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.iceberg.contents import DataFile, Places, Range, field_id
from lakehouse.iceberg.keys import Keys
from lakehouse.iceberg.table import IcebergTable
from lakehouse.iceberg.terms import Term, columns_of

#: So many bytes of data files that hold rows which are looked for are read by the driver, a batch at a time, and about so
#: many bytes of Arrow may such rows be; more are Spark's affair.
MOST_SEARCHED, MOST_FOUND = 256 * 2**20, 96 * 2**20
#: The types whose bounds are whole numbers.
_COUNTED = {pa.int32(), pa.int64(), pa.date32(), pa.timestamp("us", tz="UTC")}
_UNTOLD = (b"", b"")
#: Bytes of a value in Arrow, where its type does not say.
_TEXT = 16
#: The types whose bounds in a file are compared with what is looked for.
_RANGED = {pa.int32(), pa.int64(), pa.string(), pa.date32(), pa.timestamp("us", tz="UTC")}


def rows_of(
    target: IcebergTable,
    values: pa.Table,
    columns: Sequence[pa.Field],
    snapshot: int | None = None,
    terms: Sequence[Term] | None = None,
) -> pa.Table | None:
    """The rows of ``target`` whose ``terms`` are one of the rows of ``values``; NULL is a value.

    Args:
        columns: those that are wanted, fields of the target's schema.
        snapshot: as of which; absent: as it is now.
        terms: one for each column of ``values``; the target's columns of the same names when absent.

    Returns:
        ``None`` where too many bytes would have to be read for the driver, or too many rows are found, or the values are of
        types that Spark has to compare with the target's.
    """
    schema, held = pa.schema(columns), target.arrow_schema()
    looked_at = terms or [Term(name) for name in values.column_names]
    same = _as_there(values, [term.kind(held) for term in looked_at])
    if same is None:
        return None
    by, within, keys = columns_of(looked_at, held), ranges_of(same, looked_at, held), Keys(same)
    found, size, rows, most = [], 0, 0, MOST_FOUND // _width(schema)
    for file in target.held_files(within, snapshot):
        places = hits(file, by, keys, looked_at)[0]
        if len(places):
            found.append((file, places))
            size, rows = size + file.size, rows + len(places)
            if size > MOST_SEARCHED or rows > most:  # known before a row is read whole
                return None
    return pa.concat_tables([schema.empty_table(), *(file.at(schema, places) for file, places in found)])


def _width(schema: pa.Schema) -> int:
    """About how many bytes a row takes in Arrow."""
    return 1 + sum(_TEXT if _has_no_width(kind) else kind.bit_width // 8 for kind in schema.types)


def _has_no_width(kind: pa.DataType) -> bool:
    return bool(pa.types.is_nested(kind) or pa.types.is_string(kind) or pa.types.is_binary(kind))


def ranges_of(values: pa.Table, terms: Sequence[Term], schema: pa.Schema) -> dict[str, Range]:
    """What the columns of ``terms`` lie between in rows with one of ``values``, where a file's metrics can be compared with it.

    Args:
        terms: one for each column of ``values``, over the columns of ``schema``.
    """
    found: dict[str, Range] = {}
    for place, term in enumerate(terms):
        kind = schema.field(term.column).type
        if kind in _RANGED and (ends := _ends(values.column(place))) is not None:
            low, high = term.within(*ends, kind)
            known = found.get(term.column, (low, high))
            found[term.column] = (max(low, known[0]), min(high, known[1]))
    return found


def _as_there(values: pa.Table, kinds: Sequence[pa.DataType]) -> pa.Table | None:
    """``values`` in the types ``kinds``: the same, or other whole numbers that fit; ``None`` where they are not."""
    for mine, kind in zip(values.schema, kinds, strict=True):
        both_whole = pa.types.is_integer(mine.type) and pa.types.is_integer(kind)
        if mine.type != kind and not both_whole:
            return None
    try:
        fields = zip(values.column_names, kinds, strict=True)
        return values.cast(pa.schema([pa.field(name, kind) for name, kind in fields]))
    except pa.ArrowInvalid:
        return None


def ends_of(target: IcebergTable, column: str, snapshot: int | None = None) -> Range | None:
    """The lowest and the highest value of a column of whole numbers, days or moments (UTC), as the files' metrics tell.

    Returns:
        ``(None, None)`` where no row has a value; ``None`` where the metrics do not tell, or it is of another type.
    """
    item = target.arrow_schema().field(column)
    if item.type not in _COUNTED:
        return None
    said = [file.bounds.get(field_id(item), _UNTOLD) for file in target.held_files(None, snapshot, bounds=True)]
    if _UNTOLD in said:
        return None
    ends = [end for bounds in said if bounds for end in bounds]
    numbers = pa.array([int.from_bytes(end, "little", signed=True) for end in ends], pa.int64())
    whole = numbers.cast(pa.int32()) if item.type == pa.date32() else numbers
    found = pc.min_max(whole.cast(item.type)).as_py()
    return found["min"], found["max"]


def all_rows(files: Sequence[DataFile], schema: pa.Schema) -> pa.Table:
    """The rows of ``files``, in the columns of ``schema``, whose fields bear Iceberg's ids."""

    def read() -> Iterator[pa.RecordBatch]:
        for file in files:
            yield from file.batches(schema)

    return pa.Table.from_batches(read(), schema)


def hits(file: DataFile, by: pa.Schema, keys: Keys, terms: Sequence[Term]) -> tuple[Places, Places]:
    """The places in ``file`` of the rows whose ``terms`` are one of the ``keys``, and for each the place among the keys.

    Args:
        by: the columns that the terms look at.
        terms: one for each column of the keys.
    """
    here, there, first = [np.empty(0, np.int64)], [np.empty(0, np.int64)], 0
    for batch in file.batches(by):
        places, found = keys.find([term.of(batch.column(term.column)) for term in terms])
        here.append(places + first)
        there.append(found)
        first += batch.num_rows
    return np.concatenate(here), np.concatenate(there)


def _ends(values: pa.ChunkedArray) -> tuple[Any, Any] | None:
    """The lowest and the highest of ``values``; ``None`` where there is none, or a NULL."""
    if values.null_count or not len(values):
        return None
    ends = pc.min_max(values).as_py()
    return ends["min"], ends["max"]
