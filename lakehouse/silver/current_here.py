"""Merging few raw rows into silver by the driver: Spark says what the contract makes of each, without a shuffle; what
becomes of them, their quarantine and the merge are Arrow's affair."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import functions as F

from lakehouse.iceberg.lake import Lake
from lakehouse.iceberg.merge_here import merge_here
from lakehouse.iceberg.table import IcebergTable
from lakehouse.iceberg.write_here import Rewriting, replace, rewrite
from lakehouse.paths import TableName, engine_column, quote, silver
from lakehouse.raw.columns import RAW_COLUMNS
from lakehouse.registry.tables import Check, SourceTable
from lakehouse.silver import quarantine
from lakehouse.silver.books import Books
from lakehouse.silver.contract import FAILURES, SilverShape, breaks, check, conform
from lakehouse.silver.decide import CONTENT, DELETED, MERGED, REJECTED, SUPERSEDED, content_of
from lakehouse.silver.decide_here import Outcomes, decide_here
from lakehouse.spark import plan, rows_to_frame

_CURSOR, _KEY_TEXT = engine_column("cursor"), engine_column("key_text")


@dataclass(frozen=True)
class Judged:
    """A batch, its outcomes, and what Spark made of it.

    Attributes:
        raw: the rows as raw holds them.
        checked: for each of them the columns that silver shows, the key's and the cursor before they were protected,
            and which of the softer checks it breaks.
    """

    raw: pa.Table
    checked: pa.Table
    outcomes: Outcomes

    def books(self) -> Books:
        merged, superseded, rejected, deleted = (
            int(pc.sum(self.outcomes.are(outcome)).as_py() or 0) for outcome in (MERGED, SUPERSEDED, REJECTED, DELETED)
        )
        return Books(self.raw.num_rows, merged + deleted, superseded, rejected)

    def broken(self, softer: Sequence[Check]) -> list[int]:
        """How many of the merged rows break each of ``softer``."""
        merged = self.outcomes.are(MERGED)
        columns = [self.checked.column(_softer(number)) for number in range(len(softer))]
        return [int(pc.sum(pc.and_(merged, column)).as_py() or 0) for column in columns]


def judge(
    rows: pa.Table,
    lake: Lake,
    table: SourceTable,
    columns: SilverShape,
    softer: Sequence[Check],
    pseudonym_key: bytes | None,
) -> Judged:
    """What the contract makes of each of ``rows``, a batch of raw."""
    plan(lake.spark, 0)
    frame = rows_to_frame(lake.spark, rows)
    conformed = check(conform(frame, table, columns), table)
    cursor = table.cursor if table.cursor in columns.columns else None
    key = [engine_column(name) for name in columns.key]
    checked = conformed.select(
        *columns.protected(table, pseudonym_key),
        *(F.col(quote(name)).alias(own) for name, own in zip(columns.key, key, strict=True)),
        *([F.col(quote(cursor)).alias(_CURSOR)] if cursor else []),
        *(F.expr(breaks(rule)).alias(_softer(number)) for number, rule in enumerate(softer)),
        content_of(conformed).alias(CONTENT),
        quarantine.key_json(columns).alias(_KEY_TEXT),
        F.col(quote(FAILURES)),
    ).toArrow()
    for name in ("_ingested_at", "_op"):
        checked = checked.append_column(name, rows.column(name))
    return Judged(rows, checked, decide_here(checked, key, _CURSOR if cursor else None))


def reject(judged: Judged, table: SourceTable, lake: Lake, run_id: str, rejected_at: datetime, *, whole: bool) -> None:
    """Bring the quarantine of ``table`` up to date; see :func:`quarantine.refresh`."""
    rejected = judged.outcomes.are(REJECTED)
    rows = _as_they_were(judged.raw.filter(rejected), lake)
    broken = judged.outcomes.failures.filter(rejected)
    rules, reasons = (_joined(broken, name, between) for name, between in (("rule", ", "), ("reason", "; ")))
    found = pa.table(
        {
            "key": judged.checked.column(_KEY_TEXT).filter(rejected),
            "rule": rules,
            "reason": reasons,
            "run_id": pa.repeat(pa.scalar(run_id), len(broken)),
            "rejected_at": pa.repeat(pa.scalar(rejected_at, pa.timestamp("us", tz="UTC")), len(broken)),
            "row": rows,
        }
    )
    touched = None if whole else judged.checked.column(_KEY_TEXT)
    quarantine.refresh_here(table.table, found, touched, lake)


def remake(
    judged: Judged,
    table: SourceTable,
    columns: SilverShape,
    target: IcebergTable | None,
    lake: Lake,
    properties: Mapping[str, str],
) -> tuple[int, tuple[str, ...]] | None:
    """Make what counts the content of silver; see :func:`remake_here`."""
    rows = judged.checked.select(list(columns.published(table))).filter(judged.outcomes.are(MERGED))
    return remake_here(rows, columns.published(table), table, silver(table.table), target, properties, lake)


def remake_here(
    rows: pa.Table,
    columns: Mapping[str, str],
    table: SourceTable,
    name: TableName,
    target: IcebergTable | None,
    properties: Mapping[str, str],
    lake: Lake,
) -> tuple[int, tuple[str, ...]] | None:
    """By the driver what :func:`lakehouse.silver.current.rebuild` does; ``None``, and nothing is written, where it cannot.

    Args:
        columns: of ``rows``, name to Spark SQL type.
    """
    there = {field.name: field.lake_type for field in target.fields} if target is not None else {}
    if target is None or not there.items() <= columns.items():
        snapshot = replace(rows, name, columns, lake.catalog, table.partition_by, properties, table.sort_by)
        return None if snapshot is None else (snapshot, ())
    if not target.is_written_here() or not target.is_partitioned_by(table.partition_by):
        return None
    if added := {column: kind for column, kind in columns.items() if column not in there}:
        target.evolve(added)
    layout = target.partition(table.partition_by, table.sort_by)
    schema = target.arrow_schema()
    everything = [Rewriting(file, np.arange(file.rows)) for file in target.held_files()]
    return rewrite(target, everything, rows.select(schema.names).cast(schema).combine_chunks(), properties), layout


def merge(
    judged: Judged, columns: SilverShape, target: IcebergTable, lake: Lake, properties: dict[str, str], *, whole: bool
) -> int | None:
    """Merge what counts into ``target``; ``None`` when the driver cannot, and nothing is written."""
    outcomes, schema = judged.outcomes, target.arrow_schema()
    rejected_winner = pc.and_(outcomes.are(REJECTED), outcomes.newest)
    counted = pc.or_(outcomes.are(MERGED, DELETED), rejected_winner)
    changes = judged.checked.select(schema.names).filter(counted).cast(schema)
    removed = pc.invert(outcomes.are(MERGED)).filter(counted)
    before = target.head
    merged = merge_here(changes.combine_chunks(), removed, target, columns.key, properties, mirror=whole)
    if merged is None:
        return None
    lake.changes.record(target, before or 0, merged.snapshot, merged.changed)
    return merged.snapshot


def _softer(number: int) -> str:
    return engine_column(f"softer_{number}")


def _as_they_were(rows: pa.Table, lake: Lake) -> pa.ChunkedArray:
    """JSON of rows of raw."""
    if not rows.num_rows:
        return pa.chunked_array([], pa.string())
    names = [name for name in rows.column_names if name not in RAW_COLUMNS or name == "_misfits"]
    text = F.to_json(F.struct(*map(quote, names))).alias("row")
    return rows_to_frame(lake.spark, rows).select(text).toArrow().column("row")


def _joined(failures: pa.Array, name: str, between: str) -> pa.Array:
    """For each row the rules that it breaks, or their reasons, as one text."""
    return pa.array([between.join(item[name] for item in row) for row in failures.to_pylist()], pa.string())
