"""What a batch of raw rows means for silver: which row of a key counts, and what becomes of each.

Deciding only: no Spark action here.
"""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from lakehouse.paths import engine_column, quote
from lakehouse.raw.columns import DELETE, RAW_COLUMNS
from lakehouse.silver.contract import FAILURES

OUTCOME, NEWEST = engine_column("outcome"), engine_column("newest")
CONTENT = engine_column("content")
_RANK, _WINNER, _SEEN = map(engine_column, ("rank", "winner", "seen"))
#: What a row breaks that was read together with another one of its key.
DUPLICATE_KEY = {"rule": "duplicate_key", "reason": "another row of this key was read with it"}
MERGED, SUPERSEDED, REJECTED, DELETED = "merged", "superseded", "rejected", "deleted"


def decide(
    checked: DataFrame, key: Sequence[str], cursor: str | None, ignore: Sequence[str] = (), lost: Sequence[str] = ()
) -> DataFrame:
    """``checked`` with :data:`OUTCOME` for each row, and :data:`NEWEST`: whether it is the one that counts for its key.

    Of the rows of a key the newest counts: the one seen last at the source and, among those seen together, the one of
    the highest cursor. The others are superseded. Where two rows of a key were seen together, differ, and no cursor
    orders them, neither is truer: one counts, the others are rejected as ``duplicate_key``.

    Args:
        ignore: columns that are no content of the row.
        lost: columns that the source no longer has: a row shows the newest value that its key ever had there.
    """
    if not key:
        return checked.withColumn(OUTCOME, F.when(F.size(FAILURES) > 0, REJECTED).otherwise(MERGED)).withColumn(
            NEWEST, F.lit(True)
        )
    ranked = _ranked(checked, key, cursor, ignore, lost)
    undecided = (
        (F.col(_RANK) > 1)
        & F.col(_SEEN).eqNullSafe(F.col(f"{_WINNER}.seen"))
        & (F.col(CONTENT) != F.col(f"{_WINNER}.content"))
    )
    keyless = F.lit(False)
    for name in key:
        keyless = keyless | F.col(name).isNull()
    duplicate = F.array(F.struct(*(F.lit(text).alias(name) for name, text in DUPLICATE_KEY.items())))
    outcome = (
        F.when(keyless, REJECTED)
        .when(undecided, REJECTED)
        .when(F.col(_RANK) > 1, SUPERSEDED)
        .when(F.col("_op") == DELETE, DELETED)
        .when(F.size(FAILURES) > 0, REJECTED)
        .otherwise(MERGED)
    )
    failures = F.when(~keyless & undecided, duplicate).otherwise(F.col(FAILURES))
    newest = (F.col(_RANK) == 1) & ~keyless
    return ranked.withColumns({OUTCOME: outcome, FAILURES: failures, NEWEST: newest}).drop(
        _RANK, _WINNER, _SEEN, CONTENT
    )


def _ranked(
    checked: DataFrame, key: Sequence[str], cursor: str | None, ignore: Sequence[str], lost: Sequence[str]
) -> DataFrame:
    """``checked`` with the rank of each row among those of its key, newest first, and what the first of them is like."""
    content = content_of(checked, ignore)
    order = [
        F.col("_ingested_at").desc(),
        *([F.col(cursor).desc_nulls_last()] if cursor else []),
        (F.size(FAILURES) == 0).desc(),
        content.desc(),
    ]
    newest_first = Window.partitionBy(*key).orderBy(*order)
    for name in lost:
        ever = newest_first.rowsBetween(Window.currentRow, Window.unboundedFollowing)
        checked = checked.withColumn(name, F.first(quote(name), ignorenulls=True).over(ever))
    seen = F.struct("_ingested_at", *([cursor] if cursor else []))
    return checked.select(
        "*",
        F.row_number().over(newest_first).alias(_RANK),
        F.first(F.struct(seen.alias("seen"), content.alias("content"))).over(newest_first).alias(_WINNER),
        seen.alias(_SEEN),
        content.alias(CONTENT),
    )


def content_of(checked: DataFrame, ignore: Sequence[str] = ()) -> Column:
    """A number that rows of the same content share."""
    return F.xxhash64(*[name for name in checked.columns if name not in (*RAW_COLUMNS, FAILURES, *ignore)])
