"""The CQL that reads one token range of a table."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from lakehouse.sources.cassandra.quoting import quote_name
from lakehouse.sources.cassandra.schema import CassandraTable
from lakehouse.sources.reader import Bound

_EPOCH, _MILLISECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)


def conditions(bound: Bound | None) -> list[tuple[str, Any]]:
    """Operator and value of each side of ``bound``; of a moment, the first millisecond since 1970 that is not before it.

    Cassandra keeps milliseconds, so that asks for just the rows within the bound.
    """
    if bound is None:
        return []
    pairs = ((">=", bound.lower), ("<", bound.upper))
    return [(operator, _milliseconds(value)) for operator, value in pairs if value is not None]


def select_range(table: CassandraTable, columns: Sequence[str], bound: Bound | None) -> str:
    """CQL with markers for the range's start and end, and for the values of ``bound``.

    The bound stands in the query, so that old rows are not sent. It is on a column that Cassandra cannot search by,
    hence ALLOW FILTERING: the nodes read, and send only what is wanted.
    """
    selected = ", ".join(table.reads[name].expression for name in columns)
    token = f"token({', '.join(map(quote_name, table.partition_key))})"
    cql = f"SELECT {selected} FROM {table.cql} WHERE {token} > ? AND {token} <= ?"
    if bound is None or not conditions(bound):
        return cql
    column = quote_name(table.relation.column(bound.cursor).source_name)
    return cql + "".join(f" AND {column} {operator} ?" for operator, _ in conditions(bound)) + " ALLOW FILTERING"


def _milliseconds(value: Any) -> Any:
    return -((_EPOCH - value) // _MILLISECOND) if isinstance(value, datetime) else value
