"""Rows that several queries read, computed once."""

from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.sql import DataFrame

from lakehouse.spark import rows_to_frame

_FEW = 100_000


@contextmanager
def materialized(rows: DataFrame, at_most: int | None = None) -> Iterator[DataFrame]:
    """``rows``, computed once.

    Few are brought to the driver and become part of the plans that read them: their number is known before those are
    made, so that no join shuffles them. Many stay in Spark's cache until the block ends.

    Args:
        at_most: how many rows there are at the most, where that is known: it saves the cache.
    """
    if at_most is not None and at_most <= _FEW:
        yield rows_to_frame(rows.sparkSession, rows.toArrow(), rows.schema)
        return
    with cached(rows) as many:
        found = many.limit(_FEW + 1).toArrow() if at_most is None else None
        yield many if found is None or found.num_rows > _FEW else rows_to_frame(rows.sparkSession, found, rows.schema)


@contextmanager
def cached(rows: DataFrame) -> Iterator[DataFrame]:
    """``rows``, in Spark's cache until the block ends."""
    rows.persist()
    try:
        yield rows
    finally:
        rows.unpersist()
