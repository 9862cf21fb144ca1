"""A fingerprint of a table, computed alike from Cassandra by the driver and from raw by Spark.

A small table is looked at from the driver in a fraction of the time that planning a Spark read takes. When its
fingerprint is that of what raw holds, nothing changed.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.paths import quote
from lakehouse.sources.cassandra.arrow import JSON_NULL, fits
from lakehouse.sources.cassandra.connection import translated
from lakehouse.sources.cassandra.pages import pages
from lakehouse.sources.cassandra.query import conditions, select_range
from lakehouse.sources.cassandra.schema import CassandraTable, Decode
from lakehouse.sources.cassandra.settings import Settings
from lakehouse.sources.cassandra.token_ranges import MAXIMUM, MINIMUM
from lakehouse.sources.reader import Bound, Look

_BETWEEN, _NULL = "\x1f", "\x00"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DIGITS = 15  # hexadecimal digits of the MD5 that are summed: 60 bits


def has_fingerprint(table: CassandraTable, columns: Sequence[str]) -> bool:
    """Whether both sides write each column's values alike; Java and Python write floating-point numbers each its way."""
    return all(table.reads[name].lake_type not in {"float", "double"} for name in columns)


def of_source(
    session: Any, source: Settings, table: CassandraTable, columns: Sequence[str], bound: Bound | None
) -> Look:
    """Count and sum of hashes over all keys, and over ``columns`` of the rows within ``bound``."""
    keys, keys_sum = _digest(session, source, table, table.relation.key, None)
    rows, rows_sum = _digest(session, source, table, columns, bound)
    return Look(f"{keys}:{keys_sum} {rows}:{rows_sum}", keys)


def _digest(
    session: Any, source: Settings, table: CassandraTable, columns: Sequence[str], bound: Bound | None
) -> tuple[int, int]:
    readers = [_text_of(table, name) for name in columns]
    count = total = 0
    with translated(source, f"looking at {table.relation.name}"):
        prepared = session.prepare(select_range(table, columns, bound))
        prepared.fetch_size = source.page_size
        statement = prepared.bind([MINIMUM, MAXIMUM, *(value for _, value in conditions(bound))])
        for rows in pages(session, statement, source.retries, source.request_timeout_s):
            count += len(rows)
            for row in rows:
                text = _BETWEEN.join(
                    [_NULL if cell is None else read(cell) for read, cell in zip(readers, row, strict=True)]
                )
                total += int(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()[:_DIGITS], 16)
    return count, total


def _text_of(table: CassandraTable, name: str) -> Any:
    read = table.reads[name]
    if read.decode is Decode.MILLISECONDS:
        return lambda cell: str(cell) if fits(read, cell) else _NULL
    if read.decode is Decode.DAYS:
        return lambda cell: str(cell.days_from_epoch) if fits(read, cell.days_from_epoch) else _NULL
    if read.decode is Decode.JSON:
        return lambda cell: _NULL if cell == JSON_NULL else cell
    if read.lake_type == "binary":
        return bytes.hex
    if read.lake_type == "boolean":
        return lambda cell: "true" if cell else "false"
    return str


def of_rows(rows: DataFrame, key: Sequence[str], columns: Sequence[str], bound: Bound | None) -> Look:
    """The same of ``rows`` as raw holds them, in one action."""
    kinds = dict(rows.dtypes)
    within = F.lit(True)
    if bound is not None and bound.lower is not None:
        within = F.col(quote(bound.cursor)) >= _literal(bound.lower)
    row = rows.agg(
        F.count(F.lit(1)),
        F.sum(_hash(key, kinds)),
        F.count_if(within),
        F.sum(F.when(within, _hash(columns, kinds))),
    ).first()
    assert row is not None
    keys, keys_sum, count, rows_sum = (int(value or 0) for value in row)
    return Look(f"{keys}:{keys_sum} {count}:{rows_sum}", keys)


def _literal(lower: Any) -> Column:
    """A bound as Spark compares it: a moment cut to Cassandra's milliseconds, whatever zone Python is in."""
    if not isinstance(lower, datetime):
        return F.lit(lower)
    return F.timestamp_millis(F.lit((lower - _EPOCH) // timedelta(milliseconds=1)))


def _hash(columns: Sequence[str], kinds: dict[str, str]) -> Column:
    texts = [F.coalesce(_text(F.col(quote(name)), kinds[name]), F.lit(_NULL)) for name in columns]
    digest = F.md5(F.encode(F.concat_ws(_BETWEEN, *texts), "UTF-8"))
    return F.conv(F.substring(digest, 1, _DIGITS), 16, 10).cast("decimal(20,0)")


def _text(column: Column, kind: str) -> Column:
    match kind:
        case "timestamp":
            return F.unix_millis(column).cast("string")
        case "date":
            return F.unix_date(column).cast("string")
        case "binary":
            return F.lower(F.hex(column))
        case _:
            return column.cast("string")
