"""History (slowly changing dimension, type 2): each version of a row that was observed, and when it was valid.

A version is valid from its cursor (the time that the source stamped it with) until the next version of its key, in the
order of the cursor: one that arrives late takes its place among those that are there. A delete closes the last version
when it was seen; a row that comes back begins anew then. Of two rows of one key and one cursor the one seen last counts.

All versions of a key are computed from raw whenever the key has new rows there, so the result depends on raw alone.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime

import pyarrow as pa
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from lakehouse.errors import DataError
from lakehouse.iceberg import write
from lakehouse.iceberg.consumed import Consumed, last_consumed
from lakehouse.iceberg.find_here import rows_of
from lakehouse.iceberg.lake import Lake
from lakehouse.iceberg.materialized import cached, materialized
from lakehouse.iceberg.merge_here import replace_part_here
from lakehouse.iceberg.table import IcebergTable
from lakehouse.paths import engine_column, history, quote, raw
from lakehouse.raw.columns import DELETE, RAW_COLUMNS
from lakehouse.registry.tables import SourceTable
from lakehouse.silver.books import Books, Transformed, by_spark
from lakehouse.silver.contract import FAILURES, SilverShape, check, conform, shape
from lakehouse.silver.current import rebuild
from lakehouse.silver.current_here import remake_here
from lakehouse.silver.decide import CONTENT, content_of
from lakehouse.silver.definition import definition_of
from lakehouse.silver.history_here import versions_here
from lakehouse.silver.incoming import Batch, incoming, raw_now
from lakehouse.spark import plan, rows_to_frame

VALID_FROM, VALID_TO, IS_CURRENT = "valid_from", "valid_to", "is_current"
_EPOCH, _LATEST, _RANK = map(engine_column, ("epoch", "latest", "rank"))
_DELETED_AT, _ENDS_AT, _CAME_BACK_AT = map(engine_column, ("deleted_at", "ends_at", "came_back_at"))
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
    name = history(table.table)
    target = lake.catalog.find(name)
    before = last_consumed(target)
    source = raw_now(lake.catalog.get(raw(table.table)), name, before)
    if source is None:
        return Transformed(name.table)
    columns = shape(table, source.columns, source.state.key)
    if taken := set(COLUMNS) & set(columns.columns):
        raise DataError(
            f"keeping the history of {table.table}: it has columns of its own named {', '.join(sorted(taken))}, which a "
            "history needs for itself; expected other names.",
            remedy="Give each another name in the lake: `columns: {another_name: {source: …}}`.",
        )
    definition = definition_of(table, columns, pseudonym_key)
    batch = incoming(table, source, None if full_refresh else before, definition)
    if batch is None:
        return Transformed(name.table)
    if columns.respells_key(table, source.columns):  # the rows of a key cannot be found in raw by its key
        batch = replace(batch, after=None, number=source.table.row_count, size=source.table.size)
    properties = Consumed({source.table.name.dotted: source.head}, definition).properties(run_id)
    floats = {"float", "double"} & {columns.columns[name] for name in columns.key}
    if batch.is_few and columns.columns[str(table.cursor)] == "timestamp" and not floats:
        done = _make_here(batch, table, columns, target, lake, pseudonym_key, properties)
        if done is not None:
            return Transformed(name.table, *done)
    plan(lake.spark, source.table.size)
    rows = lake.spark.read.option("versionAsOf", source.head).table(str(source.table.name))
    with ExitStack() as keeping:
        keys = None
        if not batch.whole:
            keys = keeping.enter_context(
                materialized(batch.rows(lake.spark).select(*map(quote, columns.key)).distinct(), batch.number)
            )
            rows = rows.join(F.broadcast(keys), on=list(columns.key), how="left_semi")
        keep = cached if batch.whole else materialized
        checked = keeping.enter_context(keep(check(conform(rows, table, columns), table)))
        found = keeping.enter_context(keep(versions(checked, columns.key, str(table.cursor))))
        books = books_of(checked, found, str(table.cursor))
        published = found.select(*columns.protected(table, pseudonym_key), *COLUMNS)
        if keys is None or target is None:
            snapshot, layout = rebuild(published, table, name, target, properties, lake)
        else:
            layout = target.partition(table.partition_by, table.sort_by)
            merge_key = [*columns.key, VALID_FROM]
            snapshot = write.merge_part(published, target, merge_key, keys, properties, lake.changes)
            layout = (*layout, by_spark(batch.size))
    return Transformed(name.table, books, snapshot, layout)


def _make_here(
    batch: Batch,
    table: SourceTable,
    columns: SilverShape,
    target: IcebergTable | None,
    lake: Lake,
    pseudonym_key: bytes | None,
    properties: Mapping[str, str],
) -> tuple[Books, int, tuple[str, ...]] | None:
    """Bring few versions up to date by the driver: the books, the snapshot and notes of the layout; ``None`` when it cannot."""
    if target is not None and not target.is_partitioned_by(table.partition_by):
        return None
    rows = batch.rows_here() if batch.whole else _all_of_their_keys(batch, columns.key)
    if rows is None:
        return None
    plan(lake.spark, 0)
    conformed = check(conform(rows_to_frame(lake.spark, rows), table, columns), table)
    own = [engine_column(name) for name in (*columns.key, str(table.cursor))]
    checked = conformed.select(
        *columns.protected(table, pseudonym_key),
        *(F.col(quote(name)).alias(alias) for name, alias in zip((*columns.key, str(table.cursor)), own, strict=True)),
        content_of(conformed).alias(CONTENT),
        F.col(quote(FAILURES)),
    ).toArrow()
    for name in ("_ingested_at", "_op"):
        checked = checked.append_column(name, rows.column(name))
    found, books = versions_here(checked, own[:-1], own[-1])
    kinds = columns.published(table) | COLUMNS
    published = found.of(checked).select(list(kinds))
    if batch.whole or target is None:
        made = remake_here(published, kinds, table, history(table.table), target, properties, lake)
        return None if made is None else (books, *made)
    layout = target.partition(table.partition_by, table.sort_by)
    schema, before = target.arrow_schema(), target.head
    part = checked.select(own[:-1]).rename_columns(list(columns.key)).group_by(list(columns.key)).aggregate([])
    published = published.select(schema.names).cast(schema)
    merged = replace_part_here(published, part, target, [*columns.key, VALID_FROM], properties)
    if merged is None:
        return None
    lake.changes.record(target, before or 0, merged.snapshot, merged.changed)
    return books, merged.snapshot, layout


def _all_of_their_keys(batch: Batch, key: Sequence[str]) -> pa.Table | None:
    """All that raw has of the keys of a batch; ``None`` where that is too much for the driver."""
    raw_table = batch.raw.table
    keys = batch.rows_here().select(key).drop_null().group_by(list(key)).aggregate([])
    return rows_of(raw_table, keys, list(raw_table.arrow_schema()), batch.raw.head)


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
        F.coalesce(F.count_if(is_delete).over(seen_before), F.lit(0)).alias(_EPOCH),
        F.max(F.when(is_delete, F.col("_ingested_at")).otherwise(F.col(quote(cursor))))
        .over(seen_before)
        .alias(_LATEST),
    )
    # A delete comes after all that was seen before it, whatever the two clocks say.
    after = F.col(_LATEST) + F.make_dt_interval(secs=(F.col(_EPOCH) + 1).cast("decimal(18,6)") / 1_000_000)
    deleted_at = F.when(is_delete, F.greatest("_ingested_at", after))
    earlier_epochs = Window.partitionBy(*key).orderBy(_EPOCH).rangeBetween(Window.unboundedPreceding, -1)
    placed = (
        epochs.withColumn(_DELETED_AT, deleted_at)
        .select(
            "*",
            F.max(_DELETED_AT).over(Window.partitionBy(*key, _EPOCH)).alias(_ENDS_AT),
            F.max(_DELETED_AT).over(earlier_epochs).alias(_CAME_BACK_AT),
        )
        .where(~is_delete)
        .withColumn(VALID_FROM, F.greatest(F.col(quote(cursor)), F.col(_CAME_BACK_AT)))
    )
    newest_first = Window.partitionBy(*key, VALID_FROM).orderBy(
        F.col(quote(cursor)).desc(), F.col("_ingested_at").desc(), F.xxhash64(*map(quote, _content(checked))).desc()
    )
    winners = placed.withColumn(_RANK, F.row_number().over(newest_first)).where(F.col(_RANK) == 1)
    following = F.lead(VALID_FROM).over(Window.partitionBy(*key, _EPOCH).orderBy(VALID_FROM))
    ends = F.coalesce(following, F.col(_ENDS_AT))
    return winners.withColumns({VALID_TO: ends, IS_CURRENT: ends.isNull()}).select(
        *map(quote, checked.columns), *COLUMNS
    )


def _content(checked: DataFrame) -> list[str]:
    return [name for name in checked.columns if name not in (*RAW_COLUMNS, FAILURES)]


def books_of(checked: DataFrame, found: DataFrame, cursor: str) -> Books:
    """The books of ``checked``, of which ``found`` are the versions."""
    is_delete = F.col("_op") == DELETE
    broken = ~is_delete & ((F.size(FAILURES) > 0) | F.col(quote(cursor)).isNull())
    row = checked.agg(F.count(F.lit(1)), F.count_if(is_delete), F.count_if(broken)).first()
    assert row is not None
    read, deletes, rejected = row
    merged = found.count() + deletes
    return Books(read, merged, read - merged - rejected, rejected)
