"""Avro files: records with a schema in the file's head."""

import base64
import json
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from itertools import islice
from typing import Any

import fastavro
import pyarrow as pa
from fastavro.schema import SchemaParseException

from lakehouse.sources.files.records import Fields, Path, Records

_MANY = 20_000
#: What the library raises of content that is no Avro, or was cut off.
_BROKEN = (
    ValueError,
    EOFError,
    LookupError,
    StopIteration,
    SystemError,
    OverflowError,
    TypeError,
    SchemaParseException,
)


def batches(stream: pa.NativeFile, fields: Fields) -> Iterator[pa.RecordBatch]:
    """The records of a file, numbered from 1; what cannot be read ends it as a broken one."""
    line = 0
    try:
        source: Iterator[Any] = iter(fastavro.reader(stream))
        while some := list(islice(source, _MANY)):
            records = Records()
            for values in some:
                line += 1
                records.add(line, _plain(values))
            yield records.batch(fields, partial(_spelled, records))
    except _BROKEN as error:
        records = Records()
        records.add_broken(line + 1, f"no Avro: {type(error).__name__}")
        yield records.batch(fields, partial(_spelled, records))


def sample(stream: pa.NativeFile, most: int) -> list[dict[str, Any]]:
    """The first records of a file."""
    return [_plain(values) for values in islice(fastavro.reader(stream), most)]


def _spelled(records: Records, number: int, path: Path) -> str:
    value: Any = records.values[number]
    for name in path:
        value = value[name]
    return repr(value) if isinstance(value, float) else json.dumps(value, ensure_ascii=False, default=str)


def _plain(value: Any) -> Any:
    """A value as text where Avro has a type for it that JSON has not: a moment as ISO 8601, bytes in base 64."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value if value is None or isinstance(value, str | bool | int | float) else str(value)
