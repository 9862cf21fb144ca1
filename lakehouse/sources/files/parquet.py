"""Parquet files: typed columns, which arrive with the lake's types."""

import json
from collections.abc import Iterator, Mapping

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lakehouse.errors import one_line
from lakehouse.iceberg.arrow_types import arrow_type
from lakehouse.paths import LINE
from lakehouse.sources.reader import MISFITS, RECORD

_MANY = 131_072


def schema_of(stream: pa.NativeFile) -> dict[str, tuple[str, str]]:
    """By column its type in the file and the Spark SQL type by which the lake holds it.

    Raises:
        pa.ArrowInvalid: it is no Parquet file.
    """
    with pq.ParquetFile(stream) as file:
        return {item.name: (str(item.type), lake_type(item.type)) for item in file.schema_arrow}


def lake_type(kind: pa.DataType) -> str:
    """The Spark SQL type of an Arrow type; text for what the lake has no type for, JSON of what has parts."""
    if pa.types.is_dictionary(kind):
        return lake_type(kind.value_type)
    if pa.types.is_boolean(kind):
        return "boolean"
    if pa.types.is_integer(kind):
        wide = kind.bit_width + pa.types.is_unsigned_integer(kind)
        return "int" if wide <= 32 else "bigint" if wide <= 64 else "decimal(20,0)"
    if pa.types.is_floating(kind):
        return "double" if kind == pa.float64() else "float"
    if pa.types.is_decimal(kind) and 0 <= kind.scale <= kind.precision <= 38:
        return f"decimal({kind.precision},{kind.scale})"
    if pa.types.is_date(kind):
        return "date"
    if pa.types.is_timestamp(kind):
        return "timestamp" if kind.tz else "string"
    return "binary" if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) else "string"


def batches(stream: pa.NativeFile, columns: Mapping[str, tuple[str, str]]) -> Iterator[pa.RecordBatch]:
    """The rows of a file, numbered from 1. A value that does not fit is NULL, and stands in :data:`MISFITS`; a column that the
    file does not have is NULL.

    Args:
        columns: by lake name, the column in the file and its Spark SQL type.
    """
    try:
        with pq.ParquetFile(stream) as file:
            there = [source for source, _ in columns.values() if source in file.schema_arrow.names]
            first = 1
            for group in range(file.num_row_groups):
                for batch in _read(file, group, there):
                    yield _shaped(batch, columns, first)
                    first += batch.num_rows
    except pa.ArrowInvalid as error:
        why = json.dumps({RECORD: f"no Parquet: {one_line(error, 200)}"})
        arrays = {name: pa.nulls(1, arrow_type(kind)) for name, (_, kind) in columns.items()}
        yield pa.RecordBatch.from_pydict({**arrays, LINE: pa.array([1], pa.int64()), MISFITS: pa.array([why])})


def _read(file: pq.ParquetFile, group: int, names: list[str]) -> Iterator[pa.RecordBatch]:
    if names:
        yield from file.iter_batches(_MANY, row_groups=[group], columns=names)
    else:  # what has no columns has no rows for Arrow
        yield pa.record_batch([pa.nulls(file.metadata.row_group(group).num_rows)], [""])


def _shaped(batch: pa.RecordBatch, columns: Mapping[str, tuple[str, str]], first: int) -> pa.RecordBatch:
    misfits: dict[int, dict[str, str]] = {}
    arrays = {}
    for name, (source, kind) in columns.items():
        there = batch.column(source) if source in batch.schema.names else None
        arrays[name] = (
            pa.nulls(batch.num_rows, arrow_type(kind)) if there is None else _cast(there, name, kind, misfits)
        )
    arrays[LINE] = pa.array(range(first, first + batch.num_rows), pa.int64())
    said = [json.dumps(misfits[row], ensure_ascii=False) if row in misfits else None for row in range(batch.num_rows)]
    arrays[MISFITS] = pa.array(said, pa.string())
    return pa.RecordBatch.from_pydict(arrays)


def _cast(values: pa.Array, name: str, kind: str, misfits: dict[int, dict[str, str]]) -> pa.Array:
    wanted = arrow_type(kind)
    if kind == "string" and not pa.types.is_string(values.type):
        return _texts(values)
    try:
        return values.cast(wanted)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return _one_by_one(values, name, wanted, misfits)


def _one_by_one(values: pa.Array, name: str, wanted: pa.DataType, misfits: dict[int, dict[str, str]]) -> pa.Array:
    found = []
    for row in range(len(values)):
        try:
            found.append(values[row : row + 1].cast(wanted)[0].as_py())
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            misfits.setdefault(row, {})[name] = str(values[row].as_py())
            found.append(None)
    return pa.array(found, wanted)


def _texts(values: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(values.type):
        return _texts(values.dictionary_decode())
    if pa.types.is_nested(values.type):
        said = (
            None if value is None else json.dumps(value, ensure_ascii=False, default=str)
            for value in values.to_pylist()
        )
        return pa.array(list(said), pa.string())
    if pa.types.is_timestamp(values.type):
        return pc.strftime(values.cast(pa.timestamp("us")), "%Y-%m-%d %H:%M:%S")
    return values.cast(pa.string())
