"""Comparing the lake's keys with the source's: what vanished there becomes a tombstone here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from lakehouse.ingest.contract import DELETE
from lakehouse.ingest.state import State
from lakehouse.paths import quote
from lakehouse.registry.tables import SourceTable

_SLICE = 200_000


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
    ranked = raw.withColumn("_rank", F.row_number().over(newest_first))
    return ranked.where((F.col("_rank") == 1) & (F.col("_op") != DELETE)).drop("_rank")


def same_key(left: DataFrame, right: DataFrame, key: Sequence[str]) -> Column:
    """The condition that two rows have the same key; NULL equals NULL."""
    condition = F.lit(True)
    for name in key:
        condition = condition & left[name].eqNullSafe(right[name])
    return condition


def as_frame(spark: SparkSession, found: pa.Table, lake: StructType) -> DataFrame:
    """Keys of a source as a DataFrame, in the types that the lake holds them in; other columns stay as they are.

    Such rows travel inside Spark's tasks, whose size is limited: many keys go in slices.
    """
    slices = [found.slice(start, _SLICE) for start in range(0, max(found.num_rows, 1), _SLICE)]
    frame = reduce(DataFrame.union, (spark.createDataFrame(part) for part in slices))
    kinds = {field.name: field.dataType for field in lake.fields}
    return frame.select(*(frame[name].cast(kinds[name]) if name in kinds else frame[name] for name in frame.columns))


@dataclass(frozen=True)
class Difference:
    """Keys that only one side has: ``gone`` from the source, ``unseen`` by the lake; ``new`` counts those that the lake
    does not hold, the expected ones among them."""

    gone: pa.Table
    unseen: pa.Table
    new: int


def difference(raw: DataFrame, source: DataFrame, key: Sequence[str], expected: Column | None = None) -> Difference:
    """How the keys that ``raw`` holds and those of ``source`` differ. ``raw`` may hold many versions of a key.

    Both sides are added up by key, which takes neither a sort nor a join of large tables.

    Args:
        expected: a condition over ``source`` for rows that another read brings, so that they are not unseen.
    """
    awaited = F.lit(False) if expected is None else expected
    is_row = (F.col("_op") != DELETE).cast("bigint")
    last_seen = F.unix_micros("_ingested_at") * 2 + is_row  # odd where the newest version is a row
    lake = raw.select(*map(quote, key), last_seen.alias("_last"), F.lit(0).alias("_there"), F.lit(0).alias("_awaited"))
    other = source.select(
        *map(quote, key), F.lit(0).cast("bigint").alias("_last"), F.lit(1).alias("_there"), awaited.cast("int")
    )
    sums = lake.union(other).groupBy(*map(quote, key)).agg(F.max("_last"), F.max("_there"), F.max("_awaited"))
    sides = sums.toDF(*key, "_last", "_there", "_awaited")
    is_held, is_there = F.col("_last") % 2 != 0, F.col("_there") == 1
    odd = sides.where(is_held != is_there).select(*map(quote, key), is_held.alias("_gone"), "_awaited").toArrow()
    is_gone, plain = odd.column("_gone"), odd.select(list(key))
    unseen = pc.and_(pc.invert(is_gone), pc.equal(odd.column("_awaited"), 0))
    gone = plain.filter(is_gone)
    return Difference(gone, plain.filter(unseen), plain.num_rows - gone.num_rows)
