"""Rows that several queries read, computed once."""

from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.sql import DataFrame

_FEW = 100_000


@contextmanager
def kept(rows: DataFrame, at_most: int | None = None) -> Iterator[DataFrame]:
    """``rows``, computed once.

    Few are brought to the driver and become part of the plans that read them: their number is known before those are
    made, so that no join shuffles them. Many go to Spark's cache until the block ends.

    Args:
        at_most: how many rows there are at the most, where that is known: it saves counting.
    """
    if at_most is None or at_most <= _FEW:
        found = (rows if at_most is not None else rows.limit(_FEW + 1)).toArrow()
        if found.num_rows <= _FEW:
            yield rows.sparkSession.createDataFrame(found, rows.schema)
            return
    with cached(rows) as many:
        yield many


@contextmanager
def cached(rows: DataFrame) -> Iterator[DataFrame]:
    """``rows``, in Spark's cache until the block ends."""
    rows.persist()
    try:
        yield rows
    finally:
        rows.unpersist()
