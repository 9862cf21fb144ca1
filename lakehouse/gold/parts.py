"""Which parts of a gold table changed rows touch, and reading only what those parts are made of."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import reduce
from typing import Any

import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from lakehouse.iceberg.consumed import Consumed, since
from lakehouse.iceberg.lake import Lake
from lakehouse.iceberg.table import IcebergTable
from lakehouse.paths import engine_column, quote
from lakehouse.raw.request import Window
from lakehouse.registry.transformers import Transformer

#: With more parts than these a whole rebuild is the shorter way.
_MOST = 100_000
_MOST_LITERALS = 2_000


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'").replace("$", "\\u0024")  # ${…} would be a variable
    return f"'{escaped}'"


#: How values of these types are written in SQL.
_WRITTEN: Mapping[type, Callable[[Any], str]] = {
    int: str,
    str: _text,
    date: lambda day: f"DATE'{day.isoformat()}'",
}


@dataclass(frozen=True)
class Inputs:
    """The tables that a transformer reads, by its argument's name, pinned to their snapshots."""

    tables: Mapping[str, IcebergTable]
    heads: Mapping[str, int]
    frames: Mapping[str, DataFrame]


@dataclass(frozen=True)
class Parts:
    """Different values of a transformer's ``rebuild_by`` columns, none of them NULL."""

    values: pa.Table

    def __len__(self) -> int:
        return int(self.values.num_rows)

    @property
    def columns(self) -> list[str]:
        return list(self.values.column_names)

    @property
    def few(self) -> bool:
        """Whether they can be spelled out in a condition, which lets files be left unread."""
        return len(self.columns) == 1 and len(self) <= _MOST_LITERALS

    def spelled_out(self, expression: str) -> Column:
        """The condition that ``expression`` is one of the values of the one column.

        As one text of SQL: a list of literals is several calls of the JVM for each of them.
        """
        values = self.values.column(0).to_pylist()
        if all(type(value) in _WRITTEN for value in values):
            return F.expr(f"({expression}) IN ({', '.join(_WRITTEN[type(value)](value) for value in values)})")
        return F.expr(expression).isin(values)

    def frame(self, spark: SparkSession) -> DataFrame:
        return spark.createDataFrame(self.values)

    def of(self, rows: DataFrame, expressions: Sequence[str] = ()) -> DataFrame:
        """The rows of these parts.

        Args:
            expressions: over ``rows``, one for each of :attr:`columns`; those columns themselves when absent.
        """
        given = expressions or [quote(name) for name in self.columns]
        if self.few:
            return rows.where(self.spelled_out(given[0]))
        parts = self.frame(rows.sparkSession)
        wanted = [engine_column(f"part_{number}") for number in range(len(given))]
        same = reduce(
            lambda left, right: left & right, (F.expr(a) == F.col(b) for a, b in zip(given, wanted, strict=True))
        )
        return rows.join(F.broadcast(parts.toDF(*wanted)), same, how="left_semi")


def narrowed(transformer: Transformer, inputs: Inputs, parts: Parts | None) -> dict[str, DataFrame]:
    """The inputs; where ``parts`` are given, of those that the transformer narrows only the rows of these parts."""
    if parts is None:
        return dict(inputs.frames)
    return {
        name: parts.of(frame, transformer.narrows[name]) if name in transformer.narrows else frame
        for name, frame in inputs.frames.items()
    }


def touched(
    transformer: Transformer,
    lake: Lake,
    inputs: Inputs,
    before: Consumed,
    window: Window | None,
    target: IcebergTable,
) -> Parts | None:
    """What to rebuild of ``target``, which was made from ``before``; ``None`` when only a whole rebuild is right."""
    changed = changed_inputs(inputs, before)
    if not transformer.rebuild_by or any(name not in transformer.followed or not known for name, known in changed):
        return None
    found = [_parts_of(transformer, lake, inputs, name, known) for name, known in changed if known]
    found += _days(transformer, lake, window, target)
    if not found:
        return Parts(pa.table({name: [] for name in transformer.rebuild_by}))
    most = _MOST_LITERALS if transformer.replaces_partitions else _MOST
    every = reduce(DataFrame.unionByName, found).dropna().distinct().limit(most + 1).toArrow()
    return None if every.num_rows > most else Parts(every.combine_chunks())


def changed_inputs(inputs: Inputs, before: Consumed) -> list[tuple[str, int | None]]:
    """The inputs whose rows changed since ``before``, each with its snapshot then; ``None`` where that is unknown."""
    found: list[tuple[str, int | None]] = []
    for name, table in inputs.tables.items():
        known = before.inputs.get(table.name.dotted)
        if known == inputs.heads[name]:
            continue
        after = since(table, known) if known else None
        if after is None:
            found.append((name, None))
        elif any("added-records" in info.summary or "deleted-records" in info.summary for info in after):
            found.append((name, known))
    return found


def _parts_of(transformer: Transformer, lake: Lake, inputs: Inputs, name: str, known: int) -> DataFrame:
    """The parts that the changed rows of one input touch."""
    changed = lake.changes.between(lake.spark, inputs.tables[name], known, inputs.heads[name])
    if name in transformer.touched:
        return transformer.touched[name](changed, inputs.frames).select(*transformer.rebuild_by)
    columns = zip(transformer.narrows[name], transformer.rebuild_by, strict=True)
    return changed.select(*(F.expr(text).alias(column) for text, column in columns))


def _days(transformer: Transformer, lake: Lake, window: Window | None, target: IcebergTable) -> Iterator[DataFrame]:
    """The days of ``window``, for a table that is rebuilt by day."""
    kinds = {field.name: field.lake_type for field in target.fields}
    if window is None or [kinds[name] for name in transformer.rebuild_by] != ["date"]:
        return
    first, last = window.start.date(), (window.end - timedelta(microseconds=1)).date()
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    yield lake.spark.createDataFrame(pa.table({transformer.rebuild_by[0]: days}))
