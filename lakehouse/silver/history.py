"""History (slowly changing dimension, type 2): each version of a row that was observed, and when it was valid.

A version is valid from its cursor (the time that the source stamped it with) until the next version of its key, in the
order of the cursor: one that arrives late takes its place among those that are there. A delete closes the last version
when it was seen; a row that comes back begins anew then. Of two rows of one key and one cursor the one seen last counts.

All versions of a key are computed from raw whenever the key has new rows there, so the result depends on raw alone.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from lakehouse.errors import DataError
from lakehouse.iceberg.consumed import Consumed, last_consumed
from lakehouse.iceberg.lake import Lake
from lakehouse.iceberg.materialized import cached, kept
from lakehouse.iceberg.table import IcebergTable
from lakehouse.iceberg.write import merge_part, overwrite
from lakehouse.paths import history, quote, raw
from lakehouse.raw.columns import DELETE
from lakehouse.raw.state import last_state
from lakehouse.registry.tables import SourceTable
from lakehouse.silver.contract import FAILURES, SilverShape, check, conform, shape
from lakehouse.silver.current import Books, Transformed, definition_of, new_rows, target_of

VALID_FROM, VALID_TO, IS_CURRENT = "valid_from", "valid_to", "is_current"
COLUMNS = {VALID_FROM: "timestamp", VALID_TO: "timestamp", IS_CURRENT: "boolean"}


def to_history(
    table: SourceTable,
    lake: Lake,
    *,
    run_id: str,
    started_at: datetime,
    pseudonym_key: bytes | None,
    full_refresh: bool = False,
) -> Transformed:
    """Bring the history of ``table`` up to date with raw. The arguments are those of :func:`silver.to_silver`.

    Its books count all rows of raw of the keys that it looked at: versions and deletes are merged, others of the same
    key and cursor superseded, and those that break the contract rejected (quarantine has them from silver).
    """
    del started_at
    source = lake.catalog.get(raw(table.table))
    state, head = last_state(source), source.head
    if head is None or state is None:
        return Transformed(history(table.table).table)
    name = history(table.table)
    held = None if full_refresh else lake.catalog.find(name)
    wanted = shape(table, {field.name: field.lake_type for field in source.fields}, state.key)
    if taken := set(COLUMNS) & set(wanted.columns):
        raise DataError(
            f"keeping the history of {table.table}: it has columns of its own named {', '.join(sorted(taken))}, which a "
            "history needs for itself; expected other names.",
            remedy="Give each another name in the lake: `columns: {another_name: {source: …}}`.",
        )
    definition = definition_of(table, wanted)
    before = last_consumed(held)
    batch = new_rows(table, source, head, lake, before, definition)
    if batch is None:
        return Transformed(name.table)
    rows = lake.spark.read.option("versionAsOf", head).table(str(source.name))
    with ExitStack() as keeping:
        keys = None
        if not batch.whole:
            keys = keeping.enter_context(kept(batch.rows.select(*map(quote, wanted.key)).distinct(), batch.number))
            rows = rows.join(F.broadcast(keys), on=list(wanted.key), how="left_semi")
        keep = cached if batch.whole else kept
        checked = keeping.enter_context(keep(check(conform(rows, table, wanted), table)))
        found = keeping.enter_context(keep(versions(checked, wanted.key, str(table.cursor))))
        books = _books(checked, found, str(table.cursor))
        target = target_of(name, table, {**wanted.published(table), **COLUMNS}, lake, held)
        properties = Consumed({source.name.dotted: head}, definition).properties(run_id)
        published = found.select(*wanted.protected(table, pseudonym_key), *COLUMNS)
        snapshot = _write(published, target, wanted, keys, properties, lake)
    return Transformed(name.table, books, snapshot)


def versions(checked: DataFrame, key: Sequence[str], cursor: str) -> DataFrame:
    """The good rows of ``checked`` that are a version of their key, with :data:`COLUMNS`. Deciding only.

    ``valid_to`` is exclusive, and NULL in the version that is current. Between versions of a key that was never deleted
    there is neither gap nor overlap.
    """
    is_delete = F.col("_op") == DELETE
    seen_before = Window.partitionBy(*key).orderBy("_ingested_at", is_delete).rowsBetween(Window.unboundedPreceding, -1)
    usable = checked.where(is_delete | ((F.size(FAILURES) == 0) & F.col(quote(cursor)).isNotNull()))
    epochs = usable.select(
        "*",
        F.coalesce(F.count_if(is_delete).over(seen_before), F.lit(0)).alias("_epoch"),
        F.max(F.when(is_delete, F.col("_ingested_at")).otherwise(F.col(quote(cursor))))
        .over(seen_before)
        .alias("_latest"),
    )
    # A delete comes after all that was seen before it, whatever the two clocks say.
    after = F.col("_latest") + F.make_dt_interval(secs=(F.col("_epoch") + 1).cast("decimal(18,6)") / 1_000_000)
    deleted_at = F.when(is_delete, F.greatest("_ingested_at", after))
    earlier_epochs = Window.partitionBy(*key).orderBy("_epoch").rangeBetween(Window.unboundedPreceding, -1)
    placed = (
        epochs.withColumn("_deleted_at", deleted_at)
        .select(
            "*",
            F.max("_deleted_at").over(Window.partitionBy(*key, "_epoch")).alias("_ends_at"),
            F.max("_deleted_at").over(earlier_epochs).alias("_came_back_at"),
        )
        .where(~is_delete)
        .withColumn(VALID_FROM, F.greatest(F.col(quote(cursor)), F.col("_came_back_at")))
    )
    newest_first = Window.partitionBy(*key, VALID_FROM).orderBy(
        F.col(quote(cursor)).desc(), F.col("_ingested_at").desc(), F.xxhash64(*map(quote, _content(checked))).desc()
    )
    winners = placed.withColumn("_rank", F.row_number().over(newest_first)).where(F.col("_rank") == 1)
    following = F.lead(VALID_FROM).over(Window.partitionBy(*key, "_epoch").orderBy(VALID_FROM))
    ends = F.coalesce(following, F.col("_ends_at"))
    return winners.withColumns({VALID_TO: ends, IS_CURRENT: ends.isNull()}).select(
        *map(quote, checked.columns), *COLUMNS
    )


def _content(checked: DataFrame) -> list[str]:
    return [name for name in checked.columns if not name.startswith("_")]


def _books(checked: DataFrame, found: DataFrame, cursor: str) -> Books:
    is_delete = F.col("_op") == DELETE
    broken = ~is_delete & ((F.size(FAILURES) > 0) | F.col(quote(cursor)).isNull())
    row = checked.agg(F.count(F.lit(1)), F.count_if(is_delete), F.count_if(broken)).first()
    assert row is not None
    read, deletes, rejected = row
    merged = found.count() + deletes
    return Books(read, merged, read - merged - rejected, rejected)


def _write(
    published: DataFrame,
    target: IcebergTable,
    wanted: SilverShape,
    keys: DataFrame | None,
    properties: dict[str, str],
    lake: Lake,
) -> int:
    if keys is None:
        return overwrite(published, target, properties)
    return merge_part(published, target, [*wanted.key, VALID_FROM], keys, properties, lake.changes)
