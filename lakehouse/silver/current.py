"""Silver: the current truth of a source table, merged from the raw rows that came since silver's last commit."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.errors import DataError
from lakehouse.fingerprint import fingerprint
from lakehouse.iceberg.consumed import Consumed, last_consumed, since
from lakehouse.iceberg.lake import Lake
from lakehouse.iceberg.materialized import kept
from lakehouse.iceberg.table import IcebergTable
from lakehouse.iceberg.write import REMOVED, append, merge, overwrite
from lakehouse.paths import TableName, quote, raw, silver
from lakehouse.raw.columns import RAW_COLUMNS
from lakehouse.raw.state import last_state
from lakehouse.registry.tables import Load, OnFailure, SourceTable
from lakehouse.silver import quarantine
from lakehouse.silver.contract import SilverShape, check, conform, shape
from lakehouse.silver.decide import DELETED, MERGED, NEWEST, OUTCOME, REJECTED, SUPERSEDED, decide

_RAW_ROW = "_raw_row"


@dataclass(frozen=True)
class Books:
    """What became of the rows of a batch: ``read = merged + superseded + rejected``; tombstones count as merged."""

    read: int = 0
    merged: int = 0
    superseded: int = 0
    rejected: int = 0


@dataclass(frozen=True)
class Transformed:
    """What a transform did; ``snapshot`` is ``None`` when there was nothing to do."""

    table: str
    books: Books = Books()
    snapshot: int | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Batch:
    """The raw rows to look at, and how many; ``whole`` when they are all that raw holds, so that silver mirrors them."""

    rows: DataFrame
    number: int
    whole: bool


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
        DataError: a check with ``on_failure: fail`` does not hold, or the registry names a column that raw lacks.
    """
    source = lake.catalog.get(raw(table.table))
    state, head = last_state(source), source.head
    if head is None or state is None:
        return Transformed(table.table)
    held = None if full_refresh else lake.catalog.find(silver(table.table))
    wanted = shape(table, {field.name: field.lake_type for field in source.fields}, state.key)
    definition = definition_of(table, wanted)
    batch = new_rows(table, source, head, lake, last_consumed(held), definition)
    if batch is None:
        layout = held.partition(table.partition_by, table.sort_by) if held is not None else ()
        return Transformed(table.table, notes=layout)
    with kept(_decided(batch.rows, table, wanted), batch.number) as decided:
        books, notes = _count(decided, table)
        target = target_of(silver(table.table), table, wanted.published(table), lake, held)
        notes += target.partition(table.partition_by, table.sort_by)
        quarantine.refresh(
            table.table, decided, wanted.key, books.rejected, lake, run_id, started_at, whole=batch.whole
        )
        properties = Consumed({source.name.dotted: head}, definition).properties(run_id)
        snapshot = _write(decided, table, wanted, target, batch, pseudonym_key, properties)
    return Transformed(table.table, books, snapshot, notes)


def definition_of(table: SourceTable, wanted: SilverShape) -> str:
    """A fingerprint of the contract: when it changes, silver is made anew from all of raw."""
    return fingerprint(table.model_dump_json(include={"columns", "checks"}), repr(wanted))


def new_rows(
    table: SourceTable, source: IcebergTable, head: int, lake: Lake, before: Consumed | None, definition: str
) -> Batch | None:
    """The rows of raw to look at; ``None`` when what was made from it is up to date."""
    same_contract = before is not None and before.definition == definition
    if before and same_contract and (before.inputs.get(source.name.dotted) == head or _only_notes(source, before)):
        return None
    return _batch(table, source, head, lake, before, definition)


def _only_notes(source: IcebergTable, before: Consumed) -> bool:
    """Whether raw's snapshots since the last commit hold no row: ingest noted something of its own."""
    after = since(source, before.inputs.get(source.name.dotted, 0))
    return after is not None and not any(
        "added-records" in info.summary or "deleted-records" in info.summary for info in after
    )


def _batch(
    table: SourceTable, source: IcebergTable, head: int, lake: Lake, before: Consumed | None, definition: str
) -> Batch:
    """Only what came since the last commit, where raw was only added to and the contract is the same."""
    consumed = before.inputs.get(source.name.dotted) if before and before.definition == definition else None
    after = since(source, consumed) if consumed is not None and table.load is Load.INCREMENTAL else None
    if consumed is None or after is None or any(info.operation not in {"append", "replace"} for info in after):
        rows = lake.spark.read.option("versionAsOf", head).table(str(source.name))
        return Batch(rows, source.row_count, whole=True)
    reader = lake.spark.read.option("start-snapshot-id", consumed).option("end-snapshot-id", head)
    number = sum(int(info.summary.get("added-records", 0)) for info in after if info.operation == "append")
    return Batch(reader.format("iceberg").load(str(source.name)), number, whole=False)


def _decided(rows: DataFrame, table: SourceTable, wanted: SilverShape) -> DataFrame:
    """The batch with an outcome for each row, and JSON of the row as it was for those that are rejected."""
    as_it_was = [name for name in rows.columns if name not in RAW_COLUMNS or name == "_misfits"]
    packed = rows.withColumn(_RAW_ROW, F.struct(*map(quote, as_it_was)))
    conformed = conform(packed, table, wanted, keep=(_RAW_ROW,))
    cursor = table.cursor if table.cursor in wanted.columns else None
    decided = decide(check(conformed, table), wanted.key, cursor, ignore=(_RAW_ROW,), kept=wanted.dropped(table))
    row = F.when(F.col(OUTCOME) == REJECTED, F.to_json(_RAW_ROW))
    return decided.withColumn(quarantine.ROW, row).drop(_RAW_ROW)


def _count(decided: DataFrame, table: SourceTable) -> tuple[Books, tuple[str, ...]]:
    """The books of the batch and the warnings of its checks, by one action.

    Raises:
        DataError: a check with ``on_failure: fail`` does not hold.
    """
    softer = [rule for rule in table.checks if rule.on_failure is not OnFailure.REJECT]
    counts = {outcome: F.count_if(F.col(OUTCOME) == outcome) for outcome in (MERGED, SUPERSEDED, REJECTED, DELETED)}
    broken = [F.count_if((F.col(OUTCOME) == MERGED) & ~F.coalesce(F.expr(rule.expect), F.lit(True))) for rule in softer]
    row = decided.agg(F.count(F.lit(1)), *counts.values(), *broken).first()
    assert row is not None
    read, merged, superseded, rejected, deleted, *violations = row
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
    return Books(read, merged + deleted, superseded, rejected), tuple(notes)


def target_of(
    name: TableName, table: SourceTable, columns: Mapping[str, str], lake: Lake, held: IcebergTable | None
) -> IcebergTable:
    """A table of silver with the contract's columns; made anew where its types cannot become them."""
    existing = held or lake.catalog.find(name)
    if existing is not None:
        types = {field.name: field.lake_type for field in existing.fields}
        added = {column: kind for column, kind in columns.items() if column not in types}
        changed = {column for column, kind in types.items() if columns.get(column) != kind}
        if not changed:
            if added:
                existing.evolve(added, {})
            return existing
        lake.catalog.drop(name)
    return lake.catalog.create(name, columns, table.partition_by, table.sort_by)


def _write(
    decided: DataFrame,
    table: SourceTable,
    wanted: SilverShape,
    target: IcebergTable,
    batch: Batch,
    pseudonym_key: bytes | None,
    properties: Mapping[str, str],
) -> int:
    published = wanted.protected(table, pseudonym_key)
    good = decided.where(F.col(OUTCOME) == MERGED).select(*published)
    if not wanted.key:
        return overwrite(good, target, properties)
    if target.row_count == 0:
        return append(good, target, properties)
    counted = decided.where((F.col(OUTCOME) == MERGED) | (F.col(OUTCOME) == DELETED) | _rejected_winner())
    changes = counted.select(*published, (F.col(OUTCOME) != MERGED).alias(REMOVED))
    return merge(changes, target, wanted.key, properties, mirror=batch.whole, kept=wanted.dropped(table))


def _rejected_winner() -> Column:
    """A rejected row that is the newest of its key: the truth is that the key has no good row, so it leaves."""
    return (F.col(OUTCOME) == REJECTED) & F.col(NEWEST)
