"""The lake's column types in Spark SQL, Arrow and Iceberg."""

import re
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")
_ARROW = {
    "boolean": pa.bool_(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "string": pa.string(),
    "binary": pa.binary(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
}
_ICEBERG = {"bigint": "long", "timestamp": "timestamptz"}
_SHORTER = (re.compile(r"\b(?:tiny|small)int\b"), "int"), (re.compile(r"\b(?:var)?char\(\d+\)"), "string")


def arrow_type(lake_type: str) -> pa.DataType:
    """The Arrow type of a Spark SQL type name."""
    decimal = _DECIMAL.fullmatch(lake_type)
    return pa.decimal128(int(decimal[1]), int(decimal[2])) if decimal else _ARROW[lake_type]


def has_arrow_type(lake_type: str) -> bool:
    """Whether :func:`arrow_type` knows the type: tables that transformers make may have others, such as lists."""
    return lake_type in _ARROW or _DECIMAL.fullmatch(lake_type) is not None


def iceberg_type(lake_type: str) -> str:
    """The Iceberg type, as its JSON spells it, of a Spark SQL type name."""
    decimal = _DECIMAL.fullmatch(lake_type)
    return f"decimal({decimal[1]}, {decimal[2]})" if decimal else _ICEBERG.get(lake_type, lake_type)


def lake_type(iceberg: str | Mapping[str, Any]) -> str:
    """The Spark SQL name of an Iceberg type, given as Iceberg's JSON has it; the inverse of :func:`iceberg_type`."""
    match iceberg:
        case str():
            names = {"timestamp": "timestamp_ntz", **{spelled: name for name, spelled in _ICEBERG.items()}}
            return names.get(iceberg, iceberg.replace(" ", ""))
        case {"type": "struct"}:
            fields = (f"{field['name']}:{lake_type(field['type'])}" for field in iceberg["fields"])
            return f"struct<{','.join(fields)}>"
        case {"type": "list"}:
            return f"array<{lake_type(iceberg['element'])}>"
        case _:
            return f"map<{lake_type(iceberg['key'])},{lake_type(iceberg['value'])}>"


def held_as(spark_type: str) -> str:
    """The lake's type of a column that Spark computed: Iceberg knows neither shorter integers nor lengths of text."""
    for pattern, name in _SHORTER:
        spark_type = pattern.sub(name, spark_type)
    return spark_type


def decimal_digits(name: str) -> tuple[int, int] | None:
    """Precision and scale of a decimal type; ``None`` for any other."""
    decimal = _DECIMAL.fullmatch(name)
    return (int(decimal[1]), int(decimal[2])) if decimal else None
