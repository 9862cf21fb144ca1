"""Comparing the lake's keys with the source's: what vanished there becomes a tombstone here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame, Observation, Window
from pyspark.sql import functions as F

from lakehouse.paths import engine_column, quote
from lakehouse.raw.columns import DELETE
from lakehouse.raw.state import State
from lakehouse.registry.tables import SourceTable
from lakehouse.sources.reader import COVERED

_RANK, _LAST, _THERE, _AWAITED, _GONE = map(engine_column, ("rank", "last", "there", "awaited", "gone"))


def is_due(table: SourceTable, state: State | None, now: datetime) -> bool:
    """Whether the keys of ``table`` are to be compared now."""
    if table.deletes.detect == "never" or state is None:
        return False
    if table.deletes.every is None or state.keys_compared_at is None:
        return True
    return now - state.keys_compared_at >= table.deletes.every


def latest(raw: DataFrame, key: Sequence[str]) -> DataFrame:
    """The newest version of each key in ``raw``, without the keys whose newest version is a tombstone.

    A source shows one version of a key at a time, so the one that was seen last is the newest.
    """
    newest_first = Window.partitionBy(*key).orderBy(F.col("_ingested_at").desc())
    ranked = raw.withColumn(_RANK, F.row_number().over(newest_first))
    return ranked.where((F.col(_RANK) == 1) & (F.col("_op") != DELETE)).drop(_RANK)


def same_key(left: DataFrame, right: DataFrame, key: Sequence[str]) -> Column:
    """The condition that two rows have the same key; NULL equals NULL."""
    condition = F.lit(True)
    for name in key:
        condition = condition & left[name].eqNullSafe(right[name])
    return condition


@dataclass(frozen=True)
class Difference:
    """Keys that only one side has.

    Attributes:
        gone: those that the source no longer has.
        unseen: those that the lake does not hold, and no other read brings.
        new: how many the lake does not hold, those that another read brings among them.
        source_keys: how many the source has.
    """

    gone: pa.Table
    unseen: pa.Table
    new: int
    source_keys: int


def difference(raw: DataFrame, source: DataFrame, key: Sequence[str]) -> Difference:
    """How the keys that ``raw`` holds and those of ``source`` differ. ``raw`` may hold many versions of a key.

    Both sides are added up by key, which takes neither a sort nor a join of large tables.

    Args:
        source: the key columns, and :data:`COVERED`: true in rows that another read brings, so that they are not unseen.
    """
    lake = raw.select(*map(quote, key), _last_seen().alias(_LAST), F.lit(0).alias(_THERE), F.lit(0).alias(_AWAITED))
    never = F.lit(0).cast("bigint")
    other = source.select(
        *map(quote, key), never.alias(_LAST), F.lit(1).alias(_THERE), F.col(COVERED).cast("int").alias(_AWAITED)
    )
    sums = lake.union(other).groupBy(*map(quote, key)).agg(F.max(_LAST), F.max(_THERE), F.max(_AWAITED))
    sides = sums.toDF(*key, _LAST, _THERE, _AWAITED)
    is_held, is_there = F.col(_LAST) % 2 != 0, F.col(_THERE) == 1
    counted = Observation()
    sides = sides.observe(counted, F.count_if(F.col(_THERE) == 1).alias("keys"))
    lone = sides.where(is_held != is_there).select(*map(quote, key), is_held.alias(_GONE), F.col(_AWAITED)).toArrow()
    gone = lone.filter(pc.field(_GONE)).select(list(key))
    new = lone.filter(~pc.field(_GONE))
    unseen = new.filter(pc.field(_AWAITED) == 0).select(list(key))
    return Difference(gone, unseen, new.num_rows, int(counted.get["keys"]))


def difference_here(raw: pa.Table, source: pa.Table, key: Sequence[str]) -> Difference:
    """As :func:`difference`, by the driver: adding up columns in memory takes a tenth of the time of a shuffle of the same keys.

    Args:
        raw: the key columns, ``_ingested_at`` and ``_op``.
        source: as there; columns of other types than the lake's are taken for the lake's.
    """
    seen = pc.multiply(raw.column("_ingested_at").cast(pa.int64()), 2)
    last = pc.add(seen, pc.not_equal(raw.column("_op"), DELETE).cast(pa.int64()))
    return _difference(raw.select(list(key)), last, source, key)


def difference_of_keys(held: pa.Table, source: pa.Table, key: Sequence[str]) -> Difference:
    """As :func:`difference_here`, where it is known already which keys the lake holds. One may be there several times."""
    return _difference(held.select(list(key)), pa.scalar(1, pa.int64()), source, key)


def _difference(lake: pa.Table, last: pa.ChunkedArray | pa.Scalar, source: pa.Table, key: Sequence[str]) -> Difference:
    sides = pa.concat_tables(
        [
            _side(lake, last, there=0, awaited=pa.scalar(0, pa.int8())),
            _side(
                source.select(list(key)).cast(lake.schema),
                pa.scalar(0, pa.int64()),
                there=1,
                awaited=source.column(COVERED).cast(pa.int8()),
            ),
        ]
    )
    sums = sides.group_by(list(key)).aggregate([(name, "max") for name in (_LAST, _THERE, _AWAITED)])
    is_held = pc.equal(pc.bit_wise_and(sums.column(f"{_LAST}_max"), 1), 1)
    is_there = pc.equal(sums.column(f"{_THERE}_max"), 1)
    gone = sums.filter(pc.and_(is_held, pc.invert(is_there))).select(list(key))
    new = sums.filter(pc.and_(is_there, pc.invert(is_held)))
    unseen = new.filter(pc.equal(new.column(f"{_AWAITED}_max"), 0)).select(list(key))
    return Difference(gone, unseen, new.num_rows, source.num_rows)


def _last_seen() -> Column:
    """When a row of raw was seen, in half microseconds: odd where it is no tombstone."""
    return F.unix_micros("_ingested_at") * 2 + (F.col("_op") != DELETE).cast("bigint")


def _side(
    keys: pa.Table, last: pa.ChunkedArray | pa.Scalar, there: int, awaited: pa.ChunkedArray | pa.Scalar
) -> pa.Table:
    """One side of a comparison; a scalar stands for a column of it."""
    columns = {_LAST: last, _THERE: pa.scalar(there, pa.int8()), _AWAITED: awaited}
    for name, value in columns.items():
        column = pa.repeat(value, keys.num_rows) if isinstance(value, pa.Scalar) else value
        keys = keys.append_column(name, column)
    return keys
