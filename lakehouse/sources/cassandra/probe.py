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
from lakehouse.sources.cassandra.options import CassandraOptions
from lakehouse.sources.cassandra.pages import pages
from lakehouse.sources.cassandra.query import CursorBound, select_range
from lakehouse.sources.cassandra.schema import CassandraTable, Decode
from lakehouse.sources.cassandra.token_ranges import MAXIMUM, MINIMUM

#: Beyond this many rows the executors are faster than the driver.
MOST_ROWS = 1_000_000
_BETWEEN, _NULL = "\x1f", "\x00"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DIGITS = 15  # hexadecimal digits of the MD5 that are summed: 60 bits


def has_fingerprint(table: CassandraTable, columns: Sequence[str]) -> bool:
    """Whether both sides write each column's values alike; Java and Python write floating-point numbers each its way."""
    return all(table.reads[name].lake_type not in {"float", "double"} for name in columns)


def of_source(
    session: Any, options: CassandraOptions, table: CassandraTable, columns: Sequence[str], bound: CursorBound | None
) -> str:
    """Count and sum of hashes over all keys, and over ``columns`` of the rows within ``bound``."""
    parts = [_digest(session, options, table, table.relation.key, None)]
    if bound is not None:
        parts.append(_digest(session, options, table, columns, bound))
    return " ".join(parts)


def _digest(
    session: Any, options: CassandraOptions, table: CassandraTable, columns: Sequence[str], bound: CursorBound | None
) -> str:
    readers = [_text_of(table, name) for name in columns]
    count = total = 0
    with translated(options, f"looking at {table.relation.name}"):
        prepared = session.prepare(select_range(table, columns, bound))
        prepared.fetch_size = options.page_size
        bounds = [value for _, value in bound.conditions()] if bound else []
        statement = prepared.bind([MINIMUM, MAXIMUM, *bounds])
        for rows in pages(session, statement, options.retries, options.request_timeout_s):
            count += len(rows)
            for row in rows:
                text = _BETWEEN.join(
                    [_NULL if cell is None else read(cell) for read, cell in zip(readers, row, strict=True)]
                )
                total += int(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()[:_DIGITS], 16)
    return f"{count}:{total}"


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


def of_rows(rows: DataFrame, key: Sequence[str], columns: Sequence[str], bound: CursorBound | None) -> str:
    """The same of ``rows`` as raw holds them, in one action."""
    kinds = dict(rows.dtypes)
    wanted = [F.count(F.lit(1)), F.sum(_hash(key, kinds))]
    if bound is not None:
        within = F.lit(True) if bound.lower is None else F.col(quote(bound.cursor)) >= _literal(bound.lower)
        wanted += [F.count_if(within), F.sum(F.when(within, _hash(columns, kinds)))]
    row = rows.agg(*wanted).first()
    assert row is not None
    numbers = [int(value or 0) for value in row]
    return " ".join(f"{count}:{total}" for count, total in zip(numbers[::2], numbers[1::2], strict=True))


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
