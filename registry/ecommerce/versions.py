"""Versions of customers and products: which of them a fact points to, and for which time a changed one counts."""

from datetime import UTC, datetime

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from lakehouse.transformer import UNKNOWN_KEY

BEGINNING, END = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)


def with_lookup_times(history: DataFrame, natural: str) -> DataFrame:
    """``history`` with ``lookup_from`` and ``lookup_to``: the moments at which a fact points to the version.

    From ``valid_from`` (the oldest version: from the beginning) to the next version's; the last one counts for ever.
    """
    order = Window.partitionBy(natural).orderBy("valid_from")
    first = F.row_number().over(order) == 1
    return history.withColumns(
        {
            "lookup_from": F.when(first, F.lit(BEGINNING)).otherwise(F.col("valid_from")),
            "lookup_to": F.coalesce(F.lead("valid_from").over(order), F.lit(END)),
        }
    )


def key_at(facts: DataFrame, versions: DataFrame, natural: str, moment: str, key: str) -> DataFrame:
    """``facts`` with ``key`` of the version of ``natural`` that counts at ``moment``; the unknown member's without one."""
    known = versions.select(F.col(natural).alias("_natural"), F.col(key).alias("_key"), "lookup_from", "lookup_to")
    same = (
        (F.col(natural) == F.col("_natural"))
        & (F.col(moment) >= F.col("lookup_from"))
        & (F.col(moment) < F.col("lookup_to"))
    )
    found = facts.join(known, same, how="left")
    return found.withColumn(key, F.coalesce("_key", _unknown())).drop("_natural", "_key", "lookup_from", "lookup_to")


def changed_spans(changed: DataFrame, natural: str, key: str) -> DataFrame:
    """When a look-up finds another version than before: ``natural``, ``since`` and ``until`` (exclusive).

    Args:
        changed: rows of a dimension, before and after a change. A version that is there on one side only counts for
            all of its time; one on both sides where its times differ.
    """
    sides = changed.groupBy(natural, key).agg(
        F.count(F.lit(1)).alias("sides"),
        *(f(name).alias(f"{f.__name__}_{name}") for f in (F.min, F.max) for name in ("lookup_from", "lookup_to")),
    )
    both = F.col("sides") > 1
    whole = F.array(_span(F.col("min_lookup_from"), F.col("max_lookup_to")))
    edges = F.array(
        _span(F.col("min_lookup_from"), F.col("max_lookup_from")), _span(F.col("min_lookup_to"), F.col("max_lookup_to"))
    )
    spans = sides.select(natural, F.explode(F.when(both, edges).otherwise(whole)).alias("span"))
    return spans.select(natural, "span.*").where(F.col("since") < F.col("until"))


def in_spans(rows: DataFrame, spans: DataFrame, natural: str, moment: str) -> DataFrame:
    """The ``rows`` of which ``moment`` lies in one of the ``spans`` of their ``natural``."""
    wanted = F.broadcast(spans.withColumnRenamed(natural, "_natural"))
    within = (F.col(moment) >= F.col("since")) & (F.col(moment) < F.col("until"))
    return rows.join(wanted, (F.col(natural) == F.col("_natural")) & within, how="left_semi")


def _span(since: Column, until: Column) -> Column:
    return F.struct(since.alias("since"), until.alias("until"))


def _unknown() -> Column:
    return F.lit(UNKNOWN_KEY).cast("bigint")
