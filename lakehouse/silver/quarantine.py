"""Rejected rows: with the rule, the reason, the run, and the row as it was. They leave when a later version passes."""

import operator
from collections.abc import Iterable
from datetime import datetime
from functools import reduce

import numpy as np
import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.iceberg.contents import HeldFile, Places
from lakehouse.iceberg.find_here import hits
from lakehouse.iceberg.keys import Keys
from lakehouse.iceberg.lake import Lake
from lakehouse.iceberg.table import IcebergTable
from lakehouse.iceberg.terms import Term
from lakehouse.iceberg.write import overwrite
from lakehouse.iceberg.write_here import Rewriting, rewrite
from lakehouse.paths import engine_column, quarantine, quote
from lakehouse.silver.contract import FAILURES, SilverShape
from lakehouse.silver.decide import OUTCOME, REJECTED

COLUMNS = {
    "key": "string",
    "rule": "string",
    "reason": "string",
    "run_id": "string",
    "rejected_at": "timestamp",
    "row": "string",
}
ROW = engine_column("row")


def rejects(decided: DataFrame, columns: SilverShape, run_id: str, rejected_at: datetime) -> DataFrame:
    """The rejected rows of ``decided`` in the columns of a quarantine table.

    ``key`` is :func:`key_json`, ``rule`` and ``reason`` list all that the row breaks, and ``row`` is JSON of
    the row as raw holds it, personal data included: quarantine is to be guarded like raw.
    """
    return decided.where(F.col(OUTCOME) == REJECTED).select(
        key_json(columns).alias("key"),
        F.array_join(F.col(f"{FAILURES}.rule"), ", ").alias("rule"),
        F.array_join(F.col(f"{FAILURES}.reason"), "; ").alias("reason"),
        F.lit(run_id).alias("run_id"),
        F.lit(rejected_at).cast("timestamp").alias("rejected_at"),
        F.col(ROW).alias("row"),
    )


def refresh(
    table: str,
    decided: DataFrame,
    columns: SilverShape,
    rejected: int,
    lake: Lake,
    run_id: str,
    rejected_at: datetime,
    *,
    whole: bool,
) -> None:
    """Bring the quarantine of ``table`` up to date with a batch.

    Args:
        decided: the batch, with outcomes.
        rejected: how many of its rows are rejected.
        whole: whether the batch is all that raw holds, so that nothing else stays in quarantine.
    """
    name = quarantine(table)
    existing = lake.catalog.find(name)
    if rejected == 0 and (existing is None or existing.row_count == 0):
        return
    target = existing or lake.catalog.create(name, COLUMNS)
    rows = rejects(decided, columns, run_id, rejected_at)
    if not whole and target.row_count:
        touched = decided.select(key_json(columns).alias("key")).distinct()
        others = lake.spark.table(str(name)).join(touched, on="key", how="left_anti")
        rows = others.select(*COLUMNS).unionByName(rows)
    overwrite(rows, target, {})


def refresh_here(table: str, rejects: pa.Table, touched: pa.ChunkedArray | None, lake: Lake) -> None:
    """The same of a batch that the driver holds.

    Args:
        rejects: the rejected rows, in :data:`COLUMNS`.
        touched: the keys of all of the batch's rows, as ``key`` has them; ``None``: nothing else stays in quarantine.
    """
    name = quarantine(table)
    existing = lake.catalog.find(name)
    if not rejects.num_rows and (existing is None or existing.row_count == 0):
        return
    target = existing or lake.catalog.create(name, COLUMNS)
    leaving = []
    for file in target.held_files():
        drop = np.arange(file.rows) if touched is None else _places(file, target, touched)
        if len(drop):
            leaving.append(Rewriting(file, drop))
    if leaving or rejects.num_rows:
        rewrite(target, leaving, rejects.cast(target.arrow_schema()).combine_chunks(), {})


def _places(file: HeldFile, target: IcebergTable, touched: pa.ChunkedArray) -> Places:
    """Where in ``file`` the rows of ``touched`` keys stand; a row without a key has no successor that it would leave for."""
    keys = Keys(pa.table({"key": touched.drop_null().unique()}))
    return hits(file, pa.schema([target.arrow_schema().field("key")]), keys, [Term("key")])[0]


def key_json(columns: SilverShape) -> Column:
    """JSON of the key's columns; where one is NULL, of where the row came from, too. NULL for a table without a key."""
    if not columns.key:
        return F.lit(None).cast("string")
    key = _json(columns.key)
    if not columns.place:
        return key
    keyless = reduce(operator.or_, (F.col(quote(name)).isNull() for name in columns.key))
    return F.when(keyless, _json(dict.fromkeys((*columns.key, *columns.place)))).otherwise(key)


def _json(names: Iterable[str]) -> Column:
    return F.to_json(F.struct(*map(quote, names)), {"ignoreNullFields": "false"})
