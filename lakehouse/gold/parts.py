"""Which parts of a gold table changed rows touch, and reading only what those parts are made of."""

import operator
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import reduce

import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from lakehouse.gold.inputs import Inputs, day_column
from lakehouse.iceberg.consumed import Consumed, since
from lakehouse.iceberg.lake import Lake
from lakehouse.iceberg.table import IcebergTable
from lakehouse.paths import engine_column, quote
from lakehouse.quoting.spark import have_literals, literal
from lakehouse.raw.request import Window
from lakehouse.registry.transformers import Transformer
from lakehouse.spark import frame_of

#: With more parts than these a whole rebuild is the shorter way. They are sent to all tasks: some 30 bytes each.
_MOST = 500_000
_MOST_LITERALS = 2_000


class _Asked(Mapping[str, DataFrame]):
    """Inputs as they are at one moment, read when they are asked for; ``names`` are those that were."""

    def __init__(self, inputs: Iterable[str], read: Callable[[str], DataFrame]) -> None:
        self.names: set[str] = set()
        self._inputs, self._read = tuple(inputs), read

    def __getitem__(self, name: str) -> DataFrame:
        if name not in self:
            raise KeyError(name)
        self.names.add(name)
        return self._read(name)

    def __contains__(self, name: object) -> bool:
        return name in self._inputs

    def __iter__(self) -> Iterator[str]:
        return iter(self._inputs)

    def __len__(self) -> int:
        return len(self._inputs)


@dataclass(frozen=True)
class Parts:
    """Different values of a transformer's ``rebuild_by`` columns; NULL is a value like any other."""

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
        """The condition that ``expression`` is one of the values of the one column."""
        return _is_one_of(expression, self.values.column(0))

    def frame(self, spark: SparkSession) -> DataFrame:
        return frame_of(spark, self.values)

    def of(self, rows: DataFrame, expressions: Sequence[str] = ()) -> DataFrame:
        """The rows of these parts.

        Args:
            expressions: over ``rows``, one for each of :attr:`columns`; those columns themselves when absent.
        """
        given = expressions or [quote(name) for name in self.columns]
        moments = {name for name, kind in rows.dtypes if kind in {"date", "timestamp"}} if expressions else set()
        if self.few:
            return rows.where(_is_one_of(given[0], self.values.column(0), moments))
        for expression, values in zip(given, self.values.columns, strict=True):
            found = values.unique()
            if len(found) <= _MOST_LITERALS:  # the join would read all files
                rows = rows.where(_is_one_of(expression, found, moments))
        parts = self.frame(rows.sparkSession)
        wanted = [engine_column(f"part_{number}") for number in range(len(given))]
        same = reduce(operator.and_, (F.expr(a).eqNullSafe(F.col(b)) for a, b in zip(given, wanted, strict=True)))
        return rows.join(F.broadcast(parts.toDF(*wanted)), same, how="left_semi")


def _is_one_of(expression: str, values: pa.ChunkedArray | pa.Array, moments: Collection[str] = ()) -> Column:
    """The condition that ``expression`` is one of the ``values``.

    As one text of SQL: a list of literals is several calls of the JVM for each of them. A day or month of a moment gets the
    first moment of all beside it: by that, files are left unread, which by a function of a column they are not.
    """
    found = values.to_pylist()
    known = [value for value in found if value is not None]
    conditions = []
    if known and have_literals(known):
        since = day_column(expression, moments)
        first = f"{since} >= {literal(min(known))} AND " if since and type(known[0]) is date else ""
        conditions.append(F.expr(f"{first}({expression}) IN ({', '.join(map(literal, known))})"))
    elif known:
        conditions.append(F.expr(expression).isin(known))
    if len(known) < len(found):
        conditions.append(F.expr(expression).isNull())
    return reduce(operator.or_, conditions)


@dataclass(frozen=True)
class Narrowed:
    """What a transformer is given.

    Attributes:
        frames: the rows of its inputs, by name.
        searched: the inputs that Spark reads or searches as a whole.
        found: about how many bytes of data files the rows would take that the driver found of the others.
    """

    frames: Mapping[str, DataFrame]
    searched: tuple[str, ...]
    found: int = 0


def narrowed(transformer: Transformer, inputs: Inputs, parts: Parts | None) -> Narrowed:
    """The inputs; where ``parts`` are given, of those that the transformer narrows only the rows of these parts."""
    if parts is None:
        return Narrowed(dict(inputs.frames), tuple(inputs.frames))
    frames, searched, found = {}, [], 0
    for name in inputs.frames:
        expressions = transformer.narrows.get(name)
        few = inputs.narrow(name, expressions, parts.values) if expressions else None
        if few is None:
            searched.append(name)
        else:
            found += few.size
        rows = inputs.frames[name] if few is None else few.rows
        frames[name] = parts.of(rows, expressions) if expressions and not (few and few.exactly) else rows
    return Narrowed(frames, tuple(searched), found)


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
    known_then = {name: known for name, known in changed if known}
    most = _MOST_LITERALS if transformer.replaces_partitions else _MOST
    found = list(_days(transformer, window, target))
    asked: list[DataFrame] = []
    for name in known_then:
        known = _known_parts(transformer, lake, inputs, name, known_then)
        if known is None:
            asked += _parts_asked(transformer, lake, inputs, name, known_then)
        else:
            found.append(known)
    if asked:  # in one query: each has a plan to be made and a job to be run
        found.append(reduce(DataFrame.union, asked).distinct().limit(most + 1).toArrow())
    if not found:
        return Parts(pa.table({name: [] for name in transformer.rebuild_by}))
    names = list(transformer.rebuild_by)
    every = pa.concat_tables(found, promote_options="permissive").group_by(names).aggregate([])
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


def _known_parts(
    transformer: Transformer, lake: Lake, inputs: Inputs, name: str, changed: Mapping[str, int]
) -> pa.Table | None:
    """The parts of an input's changed rows; ``None`` where Spark must be asked."""
    few = lake.changes.known_between(inputs.tables[name], changed[name], inputs.heads[name])
    if name in transformer.touched or few is None or not set(transformer.narrows[name]) <= set(few.column_names):
        return None
    parts = list(transformer.rebuild_by)
    return pa.table([few.column(column) for column in transformer.narrows[name]], parts).group_by(parts).aggregate([])


def _parts_asked(
    transformer: Transformer, lake: Lake, inputs: Inputs, name: str, changed: Mapping[str, int]
) -> Iterator[DataFrame]:
    """The parts that the changed rows of one input touch, the same ones more than once.

    Args:
        changed: the inputs that changed, each with its snapshot then.
    """
    parts = transformer.rebuild_by
    changes = lake.changes.between(lake.spark, inputs.tables[name], changed[name], inputs.heads[name])
    if name not in transformer.touched:
        yield changes.selectExpr(
            *(f"{text} AS {quote(column)}" for text, column in zip(transformer.narrows[name], parts, strict=True))
        )
        return
    follow = transformer.touched[name]
    now = _Asked(inputs.frames, lambda asked: inputs.frames[asked])
    yield follow(changes, now).select(*parts)
    if now.names & _asked_again(transformer, name, changed):
        then = _Asked(inputs.frames, lambda asked: _as_it_was(lake, inputs, asked, changed))
        yield follow(changes, then).select(*parts)


def _asked_again(transformer: Transformer, name: str, changed: Iterable[str]) -> set[str]:
    """The inputs for which what follows ``name`` is asked a second time, with all as they were.

    A row that is gone may have touched a part through a row of another input that is gone, too. One of the two finds that
    part: a narrowed input does in any case, and of the others it is left to the one that stands first in ``touched``.
    """
    order = list(transformer.touched)
    earlier = order[: order.index(name)]
    says_itself = transformer.narrows.keys() - transformer.touched.keys()
    return {other for other in changed if other not in says_itself and other not in earlier}


def _as_it_was(lake: Lake, inputs: Inputs, name: str, changed: Mapping[str, int]) -> DataFrame:
    """An input as the table was made from it."""
    if name not in changed:
        return inputs.frames[name]
    return lake.spark.read.option("versionAsOf", changed[name]).table(str(inputs.tables[name].name))


def _days(transformer: Transformer, window: Window | None, target: IcebergTable) -> Iterator[pa.Table]:
    """The days of ``window``, for a table that is rebuilt by day."""
    kinds = {field.name: field.lake_type for field in target.fields}
    if window is None or [kinds[name] for name in transformer.rebuild_by] != ["date"]:
        return
    first, last = window.start.date(), (window.end - timedelta(microseconds=1)).date()
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    yield pa.table({transformer.rebuild_by[0]: days})
