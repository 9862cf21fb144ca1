"""Comparing the lake's keys with the source's: what vanished there becomes a tombstone here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from lakehouse.ingest.contract import DELETE
from lakehouse.ingest.state import State
from lakehouse.paths import quote
from lakehouse.registry.tables import SourceTable


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
    """Keys of a source as a DataFrame, in the types that the lake holds them in; other columns stay as they are."""
    frame = spark.createDataFrame(found)
    kinds = {field.name: field.dataType for field in lake.fields}
    return frame.select(*(frame[name].cast(kinds[name]) if name in kinds else frame[name] for name in frame.columns))


@dataclass(frozen=True)
class Difference:
    """Keys that only one side has: ``gone`` from the source, ``unseen`` by the lake."""

    gone: pa.Table
    unseen: pa.Table


def difference(live: DataFrame, source: DataFrame, key: Sequence[str], expected: Column | None = None) -> Difference:
    """How the keys of ``live`` and ``source`` differ, by one action.

    Args:
        expected: a condition over ``source`` for rows that another read brings, so that they are not unseen.
    """
    lake = live.select(*map(quote, key), F.lit(True).alias("_in_lake")).alias("lake")
    awaited = F.lit(False) if expected is None else expected
    other = source.select(*map(quote, key), F.lit(True).alias("_in_source"), awaited.alias("_awaited")).alias("source")
    joined = lake.join(other, same_key(lake, other, key), how="full_outer")
    odd = F.col("_in_source").isNull() | (F.col("_in_lake").isNull() & ~F.col("_awaited"))
    names = [F.coalesce(lake[name], other[name]).alias(name) for name in key]
    found = joined.where(odd).select(*names, F.col("_in_source").isNull().alias("_gone")).toArrow()
    is_gone = found.column("_gone")
    plain = found.drop_columns(["_gone"])
    return Difference(plain.filter(is_gone), plain.filter(pc.invert(is_gone)))
