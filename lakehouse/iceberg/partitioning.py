"""Partition fields and sort order of a table, between the registry's spelling and Iceberg's Java API."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from lakehouse.registry.tables import parse_partition

_BUILDER = {"identity": "identity", "years": "year", "months": "month", "days": "day", "hours": "hour"}
_SPELLED = {"year": "years", "month": "months", "day": "days", "hour": "hours"}
_SIZED = re.compile(r"(bucket|truncate)\[(\d+)\]")


def spec(package: Any, schema: Any, partition_by: Sequence[str]) -> Any:
    """The Java partition spec of ``partition_by`` (``days(at)``, ``bucket(16, id)``, a column)."""
    builder = package.PartitionSpec.builderFor(schema)
    for item in partition_by:
        transform, size, column = parse_partition(item)
        method = getattr(builder, _BUILDER.get(transform, transform))
        builder = method(column) if size is None else method(column, size)
    return builder.build()


def partition_fields(table: Any) -> tuple[str, ...]:
    """The partition fields of a Java table, as the registry spells them."""
    found = []
    for field in table.spec().fields():
        column = str(table.schema().findColumnName(field.sourceId()))
        found.append(spelled(str(field.transform().toString()), column))
    return tuple(name for name in found if name)


def spelled(transform: str, column: str) -> str:
    """A partition field of Iceberg (``day``, ``bucket[16]``) as the registry spells it; empty for one that was removed."""
    if sized := _SIZED.fullmatch(transform):
        return f"{sized[1]}({sized[2]}, {column})"
    if transform == "identity":
        return column
    return f"{_SPELLED[transform]}({column})" if transform in _SPELLED else ""  # "void": removed in format 1


def change_spec(table: Any, package: Any, partition_by: Sequence[str]) -> bool:
    """Make ``partition_by`` the partitioning of what is written from now on; what is there stays as it is.

    Returns:
        Whether there was anything to change.
    """
    wanted = [normal(item) for item in partition_by]
    held = {normal(item): item for item in partition_fields(table)}
    if alike(held, wanted):
        return False
    update = table.updateSpec()
    for item in held:
        if item not in wanted:
            update = update.removeField(_term(package, item))
    for item in wanted:
        if item not in held:
            update = update.addField(_term(package, item))
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


def _term(package: Any, item: str) -> Any:
    transform, size, column = parse_partition(item)
    expressions = package.expressions.Expressions
    if transform == "identity":
        return expressions.ref(column)
    method = getattr(expressions, _BUILDER.get(transform, transform))
    return method(column) if size is None else method(column, size)


def sort_columns(table: Any) -> tuple[str, ...]:
    """The columns of a Java table's sort order."""
    return tuple(str(table.schema().findColumnName(field.sourceId())) for field in table.sortOrder().fields())


def change_sort(table: Any, package: Any, sort_by: Sequence[str]) -> bool:
    """Sort what is written from now on by ``sort_by``, ascending; returns whether that is a change."""
    if sort_columns(table) == tuple(sort_by):
        return False
    order = table.replaceSortOrder()
    for column in sort_by:  # `asc(name)` is a default method of an interface, which py4j does not see
        order = order.asc(package.expressions.Expressions.ref(column), package.NullOrder.NULLS_FIRST)
    order.commit()
    return True
