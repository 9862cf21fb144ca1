"""What Iceberg keeps of each data file's columns, from the footer that the writer just wrote.

The JVM would open each file again to find the same. Names and bounds are those of the specification ("Content File (Data and
Delete) Serialization", "Binary single-value serialization"); texts and bytes are cut as Iceberg cuts them by default.
"""

import math
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

#: Characters of a text, bytes of a binary, that a bound has at the most.
_LONGEST = 16
#: With more columns Iceberg keeps the metrics of some only.
_MOST_COLUMNS = 100
_ID = b"PARQUET:field_id"
_PACKED = {pa.bool_(): "<?", pa.int32(): "<i", pa.int64(): "<q", pa.float32(): "<f", pa.float64(): "<d"}
_PACKED |= {pa.date32(): "<i", pa.timestamp("us", tz="UTC"): "<q"}
_LAST_LETTER, _SURROGATES = 0x10FFFF, range(0xD800, 0xE000)


def metrics_of(footer: pq.FileMetaData, schema: pa.Schema) -> Mapping[str, Any] | None:
    """The metrics of a file, as Iceberg's JSON of a data file has them.

    Args:
        schema: that it was written with; its fields bear Iceberg's ids.

    Returns:
        ``None`` where they are better left to Iceberg.
    """
    has_ids = all(field.metadata and _ID in field.metadata for field in schema)
    if not has_ids or len(schema) > _MOST_COLUMNS or footer.num_columns != len(schema):
        return None
    sizes, counts, nulls = dict[int, int](), dict[int, int](), dict[int, int]()
    lower, upper = dict[int, str](), dict[int, str]()
    for position, field in enumerate(schema):
        number = int(field.metadata[_ID])
        chunks = [footer.row_group(group).column(position) for group in range(footer.num_row_groups)]
        sizes[number] = sum(chunk.total_compressed_size for chunk in chunks)
        counts[number] = sum(chunk.num_values for chunk in chunks)
        if all(chunk.is_stats_set and chunk.statistics.has_null_count for chunk in chunks):
            nulls[number] = sum(chunk.statistics.null_count for chunk in chunks)
        if (ends := _ends(chunks, field.type)) is not None:
            low, high = _lower(ends[0], field.type), _upper(ends[1], field.type)
            lower[number] = low.hex().upper()
            if high is not None:
                upper[number] = high.hex().upper()
    named: dict[str, Mapping[int, int | str]] = {
        "column-sizes": sizes,
        "value-counts": counts,
        "null-value-counts": nulls,
        "nan-value-counts": {},  # which no footer tells
        "lower-bounds": lower,
        "upper-bounds": upper,
    }
    return {name: {"keys": [*values], "values": [*values.values()]} for name, values in named.items()}


def _ends(chunks: Sequence[Any], kind: pa.DataType) -> tuple[Any, Any] | None:
    """The smallest and the largest value of a column's chunks; ``None`` where there is none, or one is not known."""
    low, high = list[Any](), list[Any]()
    for chunk in chunks:
        if not chunk.is_stats_set:
            return None
        said = chunk.statistics
        if said.has_min_max:
            low.append(_number(said.min_raw, kind))
            high.append(_number(said.max_raw, kind))
        elif not (said.has_null_count and said.null_count == chunk.num_values):
            return None
    if not low or any(isinstance(value, float) and math.isnan(value) for value in low + high):
        return None
    return min(low), max(high)


def _number(value: Any, kind: pa.DataType) -> Any:
    return int.from_bytes(value, signed=True) if pa.types.is_decimal(kind) and isinstance(value, bytes) else value


def _lower(value: Any, kind: pa.DataType) -> bytes:
    if pa.types.is_string(kind):
        return str(value, "utf-8")[:_LONGEST].encode()
    return bytes(value[:_LONGEST]) if pa.types.is_binary(kind) else _packed(value, kind)


def _upper(value: Any, kind: pa.DataType) -> bytes | None:
    """A bound that is not smaller than any value that begins like ``value``; ``None`` where there is none."""
    if pa.types.is_string(kind):
        text = str(value, "utf-8")
        longer = text if len(text) <= _LONGEST else _next_text(text[:_LONGEST])
        return None if longer is None else longer.encode()
    if pa.types.is_binary(kind):
        return bytes(value) if len(value) <= _LONGEST else _next_bytes(value[:_LONGEST])
    return _packed(value, kind)


def _packed(value: Any, kind: pa.DataType) -> bytes:
    if pa.types.is_decimal(kind):
        return int(value).to_bytes((value if value >= 0 else ~value).bit_length() // 8 + 1, signed=True)
    return struct.pack(_PACKED[kind], value)


def _next_text(text: str) -> str | None:
    """The first text of no more letters that is after all that begin with ``text``."""
    for end in range(len(text), 0, -1):
        letter = ord(text[end - 1]) + 1
        if letter <= _LAST_LETTER:
            return text[: end - 1] + chr(_SURROGATES.stop if letter in _SURROGATES else letter)
    return None


def _next_bytes(value: bytes) -> bytes | None:
    for end in range(len(value), 0, -1):
        if value[end - 1] < 0xFF:
            return value[: end - 1] + bytes([value[end - 1] + 1])
    return None
