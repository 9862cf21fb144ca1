"""Cells as Cassandra sent them as Arrow record batches, column by column."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from cassandra.cqltypes import DecimalType, DurationType, InetAddressType, IntegerType, TimeType

from lakehouse.iceberg.arrow_types import arrow_type
from lakehouse.sources.cassandra.cells import Columns
from lakehouse.sources.cassandra.schema import CassandraTable, Decode
from lakehouse.sources.reader import MISFITS

Cells = Sequence[bytes | None]
Misfits = dict[int, dict[str, str]]

JSON_NULL = "null"  # what Cassandra makes of a collection without an element
_DAY_MS = 86_400_000
_FIRST_DAY, _AFTER_DAY = -719_162, 2_932_897  # 0001-01-01 and 10000-01-01, in days since 1970-01-01
_DAY_ZERO = 2**31  # Cassandra counts days from that many before 1970-01-01
_PLAIN_DIGITS = 6  # after the point; with more of them Python writes some numbers with an exponent
_PROTOCOL = 4  # of the values below: it says nothing of them but of collections

#: Numbers as they travel.
_NUMBERS = {
    "int": ">i4",
    "smallint": ">i2",
    "tinyint": ">i1",
    "bigint": ">i8",
    "counter": ">i8",
    "float": ">f4",
    "double": ">f8",
    "boolean": ">i1",
}
#: What the driver writes as text.
_WRITTEN: dict[str, Any] = {
    "inet": InetAddressType,
    "varint": IntegerType,
    "time": TimeType,
    "duration": DurationType,
}
_HEXADECIMAL = np.array([list(f"{byte:02x}".encode()) for byte in range(256)], np.uint8)
_UUID_LENGTH, _UUID_DASHES = 36, (8, 13, 18, 23)
_UUID_DIGITS = [place for place in range(_UUID_LENGTH) if place not in _UUID_DASHES]


def to_batch(cells: Columns, table: CassandraTable, columns: Sequence[str]) -> pa.RecordBatch:
    """``cells`` of ``columns``, in their order, as a batch with :data:`MISFITS` last."""
    misfits: Misfits = {}
    arrays = [_array(own, table, name, misfits) for name, own in zip(columns, cells, strict=True)]
    count = len(cells[0])
    if misfits:
        texts = [json.dumps(misfits[row], ensure_ascii=False) if row in misfits else None for row in range(count)]
    else:
        texts = pa.nulls(count, pa.string())
    return pa.RecordBatch.from_arrays([*arrays, pa.array(texts, pa.string())], names=[*columns, MISFITS])


def _array(cells: Cells, table: CassandraTable, name: str, misfits: Misfits) -> pa.Array:
    read = table.reads[name]
    kind = arrow_type(read.lake_type)
    match read.decode:
        case Decode.NUMBER:
            return _numbers(cells, _NUMBERS[read.cql_type]).cast(kind)
        case Decode.UUID:
            return _uuids(cells)
        case Decode.TEXT:
            return pa.array(_texts(cells, _WRITTEN[read.cql_type]), kind)
        case Decode.DECIMAL:
            return _decimals(cells)
        case Decode.JSON:
            texts = pa.array(cells, kind)
            return pc.if_else(pc.equal(texts, JSON_NULL), pa.scalar(None, kind), texts)
        case Decode.MILLISECONDS:
            moments = _within(_numbers(cells, ">i8"), _DAY_MS, name, "ms since 1970", misfits)
            return moments.cast(pa.timestamp("ms", tz="UTC")).cast(kind)
        case Decode.DAYS:
            days = pc.subtract(_numbers(cells, ">u4").cast(pa.int64()), _DAY_ZERO)
            return _within(days, 1, name, "days since 1970", misfits).cast(pa.int32()).cast(kind)
        case _:
            return pa.array(cells, kind)


def _fixed(cells: Cells, width: int) -> pa.Array:
    """Cells of ``width`` bytes each. Cassandra lets one be empty, whatever its type: that is NULL."""
    try:
        return pa.array(cells, pa.binary(width))
    except pa.ArrowInvalid:
        return pa.array([cell or None for cell in cells], pa.binary(width))


def _numbers(cells: Cells, travels_as: str) -> pa.Array:
    """Numbers of the type ``travels_as`` (numpy's name of it)."""
    kind = np.dtype(travels_as)
    array = _fixed(cells, kind.itemsize)
    values = np.frombuffer(array.buffers()[1], kind, len(array)).astype(kind.newbyteorder("="))
    return pa.array(values, mask=array.is_null().to_numpy(zero_copy_only=False) if array.null_count else None)


def _uuids(cells: Cells) -> pa.Array:
    """UUIDs as everybody writes them: 32 hexadecimal digits, in lower case, in groups of 8, 4, 4, 4 and 12."""
    array = _fixed(cells, 16)
    count = len(array)
    digits = _HEXADECIMAL[np.frombuffer(array.buffers()[1], np.uint8, count * 16)].reshape(count, 32)
    texts = np.full((count, _UUID_LENGTH), ord("-"), np.uint8)
    texts[:, _UUID_DIGITS] = digits
    ends = np.arange(count + 1, dtype=np.int32) * _UUID_LENGTH
    return pa.StringArray.from_buffers(count, pa.py_buffer(ends), pa.py_buffer(texts), array.buffers()[0])


def _texts(cells: Cells, driver_type: Any) -> list[str | None]:
    values = [None if cell is None else driver_type.from_binary(cell, _PROTOCOL) for cell in cells]
    return [None if value is None else str(value) for value in values]


def _decimals(cells: Cells) -> pa.Array:
    """Decimals as Python writes them. A cell is its scale (4 bytes) and then its digits as a whole number (1 byte or more)."""
    array = pa.array(cells, pa.binary())
    there = array.drop_null()
    texts = _plain_decimals(there) if len(there) else None
    if texts is None:
        return pa.array(_texts(cells, DecimalType), pa.string())
    is_there = array.is_valid().to_numpy(zero_copy_only=False)
    return texts.take(pa.array(np.cumsum(is_there) - 1, mask=~is_there))


def _plain_decimals(there: pa.Array) -> pa.Array | None:
    """Decimals with digits of at most 8 bytes, few of them after the point, which is what prices are; ``None`` of others."""
    offsets = np.frombuffer(there.buffers()[1], np.int32)[there.offset : there.offset + len(there) + 1].astype(np.int64)
    bytes_, starts, ends = np.frombuffer(there.buffers()[2], np.uint8), offsets[:-1], offsets[1:]
    if not ((ends - starts > 4) & (ends - starts <= 12)).all():
        return None
    scales = bytes_[starts[:, None] + np.arange(4)].view(">i4").ravel()
    if scales.min() < 0 or scales.max() > _PLAIN_DIGITS:
        return None
    places = ends[:, None] + np.arange(-8, 0)
    signs = np.where(bytes_[starts + 4] & 0x80, 0xFF, 0).astype(np.uint8)[:, None]
    digits = np.where(places >= starts[:, None] + 4, bytes_[np.maximum(places, 0)], signs)
    numbers = pa.array(digits.view(">i8").ravel().astype(np.int64)).cast(pa.decimal128(19, 0))
    texts, rows = [], []
    for scale in np.unique(scales).tolist():
        rows.append(np.flatnonzero(scales == scale))
        alike = numbers.take(pa.array(rows[-1]))
        texts.append(pa.Array.from_buffers(pa.decimal128(19, scale), len(alike), alike.buffers()).cast(pa.string()))
    return pa.concat_arrays(texts).take(pa.array(np.argsort(np.concatenate(rows))))


def _within(counts: pa.Array, unit: int, name: str, said: str, misfits: Misfits) -> pa.Array:
    """``counts`` of units (so many to the day), NULL where the lake cannot hold them; those go to ``misfits``."""
    good = pc.and_(pc.greater_equal(counts, _FIRST_DAY * unit), pc.less(counts, _AFTER_DAY * unit))
    if pc.all(good).as_py() is not False:
        return counts
    for row in pc.indices_nonzero(pc.invert(good)).to_pylist():
        misfits.setdefault(row, {})[name] = f"{counts[row].as_py()} {said}"
    return pc.if_else(good, counts, pa.scalar(None, counts.type))
