"""Silver: the current truth of a source table, merged from the raw rows that came since silver's last commit."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.errors import DataError
from lakehouse.iceberg import write
from lakehouse.iceberg.consumed import Consumed, last_consumed
from lakehouse.iceberg.lake import Lake
from lakehouse.iceberg.materialized import materialized
from lakehouse.iceberg.table import IcebergTable
from lakehouse.iceberg.write import REMOVED
from lakehouse.paths import TableName, engine_column, quote, raw, silver
from lakehouse.paths import quarantine as quarantined
from lakehouse.raw.columns import RAW_COLUMNS
from lakehouse.registry.tables import Check, OnFailure, Pii, SourceTable
from lakehouse.silver import quarantine
from lakehouse.silver.books import Books, Transformed, by_spark
from lakehouse.silver.contract import SilverShape, breaks, check, conform, shape
from lakehouse.silver.current_here import judge, merge, reject, remake
from lakehouse.silver.decide import DELETED, MERGED, NEWEST, OUTCOME, REJECTED, SUPERSEDED, decide
from lakehouse.silver.definition import definition_of
from lakehouse.silver.incoming import Batch, incoming, raw_now
from lakehouse.spark import plan

_RAW_ROW = engine_column("raw_row")


def to_silver(
    table: SourceTable,
    lake: Lake,
    *,
    run_id: str,
    started_at: datetime,
    pseudonym_key: bytes | None,
    full_refresh: bool = False,
) -> Transformed:
    """Bring silver up to date with raw.

    Args:
        started_at: of the run (UTC); the time that quarantine bears.

    Raises:
        DataError: a check with ``on_failure: fail`` does not hold, the registry names a column that raw lacks, or raw is not
            what silver was made from.
    """
    name = silver(table.table)
    target = lake.catalog.find(name)
    before = last_consumed(target)
    source = raw_now(lake.catalog.get(raw(table.table)), name, before)
    if source is None:
        return Transformed(table.table)
    columns = shape(table, source.columns, source.state.key)
    definition = definition_of(table, columns, pseudonym_key)
    batch = incoming(table, source, None if full_refresh else before, definition)
    layout = target.partition(table.partition_by, table.sort_by) if target is not None and not _remakes(batch) else ()
    if batch is None:
        return Transformed(table.table, notes=layout)
    properties = Consumed({source.table.name.dotted: source.head}, definition).properties(run_id)
    if _is_made_here(batch, table, columns, lake):
        softer = _softer(table)
        judged = judge(batch.rows_here(), lake, table, columns, softer, pseudonym_key)
        notes = _warnings(table, softer, judged.broken(softer))
        reject(judged, table, lake, run_id, started_at, whole=batch.whole)
        if batch.rebuilds or target is None or not columns.key:
            done = remake(judged, table, columns, target, lake, properties)
        else:
            merged = merge(judged, columns, target, lake, properties, whole=batch.whole)
            done = None if merged is None else (merged, layout)
        if done is not None:
            return Transformed(table.table, judged.books(), done[0], (*notes, *done[1]))
    plan(lake.spark, batch.size + (target.size if target is not None else 0))
    with materialized(_decided(batch.rows(lake.spark), table, columns), batch.number) as decided:
        books, notes = _count(decided, table)
        quarantine.refresh(table.table, decided, columns, books.rejected, lake, run_id, started_at, whole=batch.whole)
        published = columns.protected(table, pseudonym_key)
        if batch.rebuilds or target is None or not columns.key:
            good = decided.where(F.col(OUTCOME) == MERGED).select(*published)
            if target is not None and columns.key:
                lost = [column for column in columns.dropped(table) if table.columns[column].pii in {None, Pii.NONE}]
                good = _with_held_values(good, lake.spark.table(str(name)), columns.key, lost)
            snapshot, layout = rebuild(good, table, name, target, properties, lake)
        else:
            snapshot = _merge(decided, published, table, columns, target, batch, properties)
            notes = (*notes, by_spark(batch.size))
    return Transformed(table.table, books, snapshot, (*notes, *layout))


def _is_made_here(batch: Batch, table: SourceTable, columns: SilverShape, lake: Lake) -> bool:
    """Whether the driver makes silver of the batch: few rows, whose keys it pairs as Spark does, of what it may write."""
    floats = {"float", "double"} & {columns.columns[name] for name in columns.key}
    if not batch.is_few or columns.dropped(table) or floats:
        return False
    rejects = lake.catalog.find(quarantined(table.table))
    return rejects is None or rejects.is_written_here()


def _decided(rows: DataFrame, table: SourceTable, columns: SilverShape) -> DataFrame:
    """The batch with an outcome for each row, and JSON of the row as it was for those that are rejected."""
    as_it_was = [name for name in rows.columns if name not in RAW_COLUMNS or name == "_misfits"]
    packed = rows.withColumn(_RAW_ROW, F.struct(*map(quote, as_it_was)))
    conformed = conform(packed, table, columns, keep=(_RAW_ROW,))
    cursor = table.cursor if table.cursor in columns.columns else None
    decided = decide(check(conformed, table), columns.key, cursor, ignore=(_RAW_ROW,), lost=columns.dropped(table))
    row = F.when(F.col(OUTCOME) == REJECTED, F.to_json(_RAW_ROW))
    return decided.withColumn(quarantine.ROW, row).drop(_RAW_ROW)


def _count(decided: DataFrame, table: SourceTable) -> tuple[Books, tuple[str, ...]]:
    """The books of the batch and the warnings of its checks, by one action.

    Raises:
        DataError: a check with ``on_failure: fail`` does not hold.
    """
    softer = _softer(table)
    counts = {outcome: F.count_if(F.col(OUTCOME) == outcome) for outcome in (MERGED, SUPERSEDED, REJECTED, DELETED)}
    broken = [F.count_if((F.col(OUTCOME) == MERGED) & F.expr(breaks(rule))) for rule in softer]
    row = decided.agg(F.count(F.lit(1)), *counts.values(), *broken).first()
    assert row is not None
    read, merged, superseded, rejected, deleted, *violations = row
    return Books(read, merged + deleted, superseded, rejected), _warnings(table, softer, violations)


def _softer(table: SourceTable) -> list[Check]:
    """The checks that reject no row."""
    return [rule for rule in table.checks if rule.on_failure is not OnFailure.REJECT]


def _warnings(table: SourceTable, softer: Sequence[Check], violations: Sequence[int]) -> tuple[str, ...]:
    """What to tell of the rows that break each of ``softer``.

    Raises:
        DataError: a check with ``on_failure: fail`` does not hold.
    """
    notes = []
    for rule, number in zip(softer, violations, strict=True):
        if number and rule.on_failure is OnFailure.FAIL:
            raise DataError(
                f"transforming {table.table}: {number:,} rows break check {rule.name!r} ({rule.expect}), "
                "which stops the table. Silver is as it was.",
                remedy="Mend the source or the check, then run again.",
            )
        if number:
            notes.append(f"{number:,} rows break check {rule.name} ({rule.expect})")
    return tuple(notes)


def _remakes(batch: Batch | None) -> bool:
    """Whether the table is made anew, with its layout."""
    return batch is not None and batch.rebuilds


def rebuild(
    good: DataFrame,
    table: SourceTable,
    name: TableName,
    target: IcebergTable | None,
    properties: Mapping[str, str],
    lake: Lake,
) -> tuple[int, tuple[str, ...]]:
    """Make ``good`` the content of a table of silver, and its columns the table's, in one commit.

    Where columns are only added, these come first, in a commit of their own: then what is made from the table can tell which
    rows changed. A run that ends in between leaves NULL in them, until the next one makes silver anew.

    Returns:
        The snapshot's id, and what an operator should know of a changed layout.
    """
    there = {field.name: field.lake_type for field in target.fields} if target is not None else {}
    columns = dict(good.dtypes)
    if target is not None and there.items() <= columns.items():
        if added := {name: kind for name, kind in columns.items() if name not in there}:
            target.evolve(added)
        layout = target.partition(table.partition_by, table.sort_by)
        return write.overwrite(good, target, properties), layout
    snapshot = write.replace(good, name, lake.catalog, table.partition_by, properties, table.sort_by)
    return snapshot, ()


def _with_held_values(good: DataFrame, held: DataFrame, key: Sequence[str], lost: Sequence[str]) -> DataFrame:
    """``good``, where the source no longer has the columns ``lost``, with the values that silver holds there.

    A column that another policy protects now is not among them: what silver holds was made by the one before.
    """
    names = {column: engine_column(column) for column in lost if column in held.columns and column in good.columns}
    if not names or not set(key) <= set(held.columns):
        return good
    values = [F.first(quote(column), ignorenulls=True).alias(name) for column, name in names.items()]
    known = held.groupBy(*map(quote, key)).agg(*values)
    filled = good.join(known, on=list(key), how="left").withColumns(
        {column: F.coalesce(quote(column), F.col(name)) for column, name in names.items()}
    )
    return filled.select(*map(quote, good.columns))


def _merge(
    decided: DataFrame,
    published: Sequence[Column],
    table: SourceTable,
    columns: SilverShape,
    target: IcebergTable,
    batch: Batch,
    properties: Mapping[str, str],
) -> int:
    counted = decided.where((F.col(OUTCOME) == MERGED) | (F.col(OUTCOME) == DELETED) | _rejected_winner())
    changes = counted.select(*published, (F.col(OUTCOME) != MERGED).alias(REMOVED))
    return write.merge(changes, target, columns.key, properties, mirror=batch.whole, lost=columns.dropped(table))


def _rejected_winner() -> Column:
    """A rejected row that is the newest of its key: the truth is that the key has no good row, so it leaves."""
    return (F.col(OUTCOME) == REJECTED) & F.col(NEWEST)
