"""Partition fields and sort order of a table, between the registry's spelling and Iceberg's Java API."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.errors import ConfigurationError
from lakehouse.iceberg.java import IcebergClasses
from lakehouse.paths import quote

_PARTITION = re.compile(
    r"(?:(?P<transform>years|months|days|hours)\((?P<column>[^()]+)\)"
    r"|(?P<sized>bucket|truncate)\((?P<size>\d+),\s*(?P<sized_column>[^()]+)\)|(?P<plain>[^()]+))"
)
#: What a table may be partitioned by, for messages.
PARTITION_FIELDS = "a column, years(c), months(c), days(c), hours(c), bucket(n, c) or truncate(n, c)"
_BUILDER = {"identity": "identity", "years": "year", "months": "month", "days": "day", "hours": "hour"}
_SPELLED = {"year": "years", "month": "months", "day": "days", "hour": "hours"}
_SIZED = re.compile(r"(bucket|truncate)\[(\d+)\]")


def is_partition(field: str) -> bool:
    """Whether ``field`` is one of :data:`PARTITION_FIELDS`."""
    return _PARTITION.fullmatch(field) is not None


def parse_partition(field: str) -> tuple[str, int | None, str]:
    """A partition field as (transform, its size or None, column); the transform of a plain column is ``identity``."""
    match = _PARTITION.fullmatch(field)
    if match is None:
        raise ConfigurationError(f"{field!r} is not a partition field.")
    if match["transform"]:
        return match["transform"], None, match["column"].strip()
    if match["sized"]:
        return match["sized"], int(match["size"]), match["sized_column"].strip()
    return "identity", None, match["plain"].strip()


def spark_transform(field: str) -> str:
    """A partition field as Spark SQL writes it."""
    transform, size, column = parse_partition(field)
    if size is not None:
        return f"{transform}({size}, {quote(column)})"
    return quote(column) if transform == "identity" else f"{transform}({quote(column)})"


def spec(classes: IcebergClasses, schema: Any, partition_by: Sequence[str]) -> Any:
    """The Java partition spec of ``partition_by`` (``days(at)``, ``bucket(16, id)``, a column)."""
    builder = classes("PartitionSpec").builderFor(schema)
    for item in partition_by:
        transform, size, column = parse_partition(item)
        method = getattr(builder, _BUILDER.get(transform, transform))
        builder = method(column) if size is None else method(column, size)
    return builder.build()


def partition_fields(table: Any, classes: IcebergClasses) -> tuple[str, ...]:
    """The partition fields of a Java table, as the registry spells them."""
    schema = table.schema()
    fields = json.loads(classes("PartitionSpecParser").toJson(table.spec()))["fields"]
    found = [spelled(field["transform"], str(schema.findColumnName(field["source-id"]))) for field in fields]
    return tuple(name for name in found if name)


def spelled(transform: str, column: str) -> str:
    """A partition field of Iceberg (``day``, ``bucket[16]``) as the registry spells it; empty for one that was removed."""
    if sized := _SIZED.fullmatch(transform):
        return f"{sized[1]}({sized[2]}, {column})"
    if transform == "identity":
        return column
    return f"{_SPELLED[transform]}({column})" if transform in _SPELLED else ""  # "void": removed in format 1


def change_spec(table: Any, classes: IcebergClasses, partition_by: Sequence[str]) -> bool:
    """Make ``partition_by`` the partitioning of what is written from now on; what is there stays as it is.

    Returns:
        Whether there was anything to change.
    """
    expected = [normal(item) for item in partition_by]
    existing = {normal(item): item for item in partition_fields(table, classes)}
    if alike(existing, expected):
        return False
    update = table.updateSpec()
    for item in existing:
        if item not in expected:
            update = update.removeField(_term(classes, item))
    for item in expected:
        if item not in existing:
            update = update.addField(_term(classes, item))
    update.commit()
    return True


def alike(one: Iterable[str], other: Iterable[str]) -> bool:
    """Whether two partitionings have the same fields. Their order is that in which a table got them, and says nothing."""
    return set(map(normal, one)) == set(map(normal, other))


def normal(item: str) -> str:
    """A partition field without what says nothing, such as white space, so that fields can be compared."""
    transform, size, column = parse_partition(item)
    if size is not None:
        return f"{transform}({size}, {column})"
    return column if transform == "identity" else f"{transform}({column})"


def _term(classes: IcebergClasses, item: str) -> Any:
    transform, size, column = parse_partition(item)
    expressions = classes("expressions.Expressions")
    if transform == "identity":
        return expressions.ref(column)
    method = getattr(expressions, _BUILDER.get(transform, transform))
    return method(column) if size is None else method(column, size)


def sort_columns(table: Any, classes: IcebergClasses) -> tuple[str, ...]:
    """The columns of a Java table's sort order."""
    schema = table.schema()
    fields = json.loads(classes("SortOrderParser").toJson(table.sortOrder()))["fields"]
    return tuple(str(schema.findColumnName(field["source-id"])) for field in fields)


def change_sort(table: Any, classes: IcebergClasses, sort_by: Sequence[str]) -> bool:
    """Sort what is written from now on by ``sort_by``, ascending; returns whether that is a change."""
    if sort_columns(table, classes) == tuple(sort_by):
        return False
    order = table.replaceSortOrder()
    for column in sort_by:  # `asc(name)` is a default method of an interface, which py4j does not see
        order = order.asc(classes("expressions.Expressions").ref(column), classes("NullOrder").NULLS_FIRST)
    order.commit()
    return True


@dataclass(frozen=True)
class PartitionField:
    """A field of a table's partition spec; ``identifier`` is Iceberg's, ``column`` the lake's name."""

    identifier: str
    transform: str
    column: str


def can_tell(field: PartitionField, kind: pa.DataType) -> bool:
    """Whether :func:`partition_texts` tells the partition by ``field``, of a column of that Arrow type."""
    if field.transform == "identity":
        is_number = pa.types.is_integer(kind) or pa.types.is_decimal(kind)
        return is_number or any(check(kind) for check in (pa.types.is_string, pa.types.is_date, pa.types.is_boolean))
    return field.transform in {"year", "month", "day", "hour"}


def as_json(text: str | None, field: PartitionField, kind: pa.DataType) -> Any:
    """A partition that :func:`partition_texts` told, as Iceberg's JSON of a data file has it."""
    if text is None or field.transform == "day":
        return text
    if field.transform != "identity" or pa.types.is_integer(kind):
        return int(text)
    return text == "true" if pa.types.is_boolean(kind) else text


def partition_texts(rows: pa.Table, field: PartitionField) -> pa.ChunkedArray:
    """The partition of each row by ``field``, as Iceberg reads it from a text; NULL for NULL.

    Years, months and hours count from 1970 (UTC), days are ISO 8601; as the specification of Iceberg's transforms says.
    """
    column = rows.column(field.column)
    match field.transform:
        case "year":
            value = pc.subtract(pc.year(column), 1970)
        case "month":
            value = pc.add(pc.multiply(pc.subtract(pc.year(column), 1970), 12), pc.subtract(pc.month(column), 1))
        case "day":
            value = column.cast(pa.date32())
        case "hour":
            hours = pc.floor_temporal(column, unit="hour").cast(pa.int64())
            value = pc.divide(hours, 3_600_000_000)
        case _ if pa.types.is_decimal(column.type):  # Arrow writes 0E-10 where Iceberg says all digits
            digits = [None if number is None else f"{number:f}" for number in column.to_pylist()]
            return pa.chunked_array([pa.array(digits, pa.string())])
        case _:
            value = column
    return value.cast(pa.string())
