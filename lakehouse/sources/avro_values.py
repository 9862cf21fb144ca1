"""Values of Avro records, as they stand in a column of texts."""

import base64
import json
from decimal import Decimal
from typing import Any

from fastavro.schema import SchemaParseException

from lakehouse.sources.records import Path, Records

#: What the library raises of content that is no Avro, or was cut off.
BROKEN = (
    ValueError,
    EOFError,
    LookupError,
    StopIteration,
    SystemError,
    OverflowError,
    TypeError,
    SchemaParseException,
)


def plain(value: Any) -> Any:
    """A value as text where Avro has a type for it that JSON has not: a moment as ISO 8601, bytes in base 64."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value if value is None or isinstance(value, str | bool | int | float) else str(value)


def spelled(records: Records, number: int, path: Path) -> str:
    """The value at ``path`` of the record of that number, as JSON or as a number's shortest text."""
    value: Any = records.values[number]
    for name in path:
        value = value[name]
    return repr(value) if isinstance(value, float) else json.dumps(value, ensure_ascii=False, default=str)
