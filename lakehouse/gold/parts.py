"""Which parts of a gold table changed rows touch, and reading only what those parts are made of."""

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import reduce

import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from lakehouse.gold.inputs import Inputs, rows_at
from lakehouse.iceberg.consumed import Consumed, since
from lakehouse.iceberg.lake import Lake
from lakehouse.iceberg.table import IcebergTable
from lakehouse.iceberg.terms import Term
from lakehouse.paths import quote
from lakehouse.quoting.spark import have_literals, literal
from lakehouse.raw.request import Window
from lakehouse.registry.transformers import OWN, Transformer
from lakehouse.spark import bytes_read, frame_of, plan, semi_join

#: With more parts than these a whole rebuild is the shorter way. They are sent to all tasks: some 30 bytes each.
_MOST = 500_000
_MOST_LITERALS = 2_000
_NOTHING = pa.schema([])


class _Asked(Mapping[str, DataFrame]):
    """Inputs as they are at one moment, read when they are asked for; ``names`` are those that were."""

    def __init__(self, inputs: Iterable[str], read: Callable[[str], DataFrame], own: Mapping[str, DataFrame]) -> None:
        self.names: set[str] = set()
        self._inputs, self._read, self._own = tuple(inputs), read, own

    def __getitem__(self, name: str) -> DataFrame:
        if name in self._own:
            return self._own[name]
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
        moments = _moments(rows) if expressions else _NOTHING
        if self.few:
            return rows.where(_is_one_of(given[0], self.values.column(0), moments))
        for expression, values in zip(given, self.values.columns, strict=True):
            found = values.unique()
            if len(found) <= _MOST_LITERALS:  # the join would read all files
                rows = rows.where(_is_one_of(expression, found, moments))
        return semi_join(rows, self.frame(rows.sparkSession), given, null_is_a_value=True)


def _moments(rows: DataFrame) -> pa.Schema:
    """The columns of days and of moments."""
    kinds = {"date": pa.date32(), "timestamp": pa.timestamp("us", tz="UTC")}
    return pa.schema([(name, kinds[kind]) for name, kind in rows.dtypes if kind in kinds])


def _is_one_of(expression: str, values: pa.ChunkedArray | pa.Array, moments: pa.Schema = _NOTHING) -> Column:
    """The condition that ``expression`` is one of the ``values``.

    As one text of SQL: a list of literals is several calls of the JVM for each of them. A day or month of a moment gets the
    first moment of all beside it: by that, files are left unread, which by a function of a column they are not.
    """
    found = values.to_pylist()
    known = [value for value in found if value is not None]
    conditions = []
    if known and have_literals(known):
        term = Term.parsed(expression, moments)
        is_day = term is not None and term.span and type(known[0]) is date
        first = f"{quote(term.column)} >= {literal(min(known))} AND " if term and is_day else ""
        conditions.append(F.expr(f"{first}({expression}) IN ({', '.join(map(literal, known))})"))
    elif known:
        conditions.append(F.expr(expression).isin(known))
    if len(known) < len(found):
        conditions.append(F.expr(expression).isNull())
    return reduce(operator.or_, conditions)


def narrowed(transformer: Transformer, inputs: Inputs, parts: Parts | None) -> dict[str, DataFrame]:
    """The rows of the inputs that a transformer is given, by name.

    Where ``parts`` are given, of those inputs that it narrows only the rows of these parts.
    """
    uses = transformer.uses
    if parts is None:
        return {name: _with(uses.get(name, ()), rows) for name, rows in inputs.frames.items()}
    frames = {}
    for name in inputs.frames:
        expressions = transformer.narrows.get(name)
        few = inputs.narrow(name, expressions, parts.values, uses.get(name, ())) if expressions else None
        rows = inputs.frames[name] if few is None else few.rows
        if expressions and not (few and few.exactly):
            rows = _with(uses.get(name, ()), parts.of(rows, expressions))
        frames[name] = rows
    return frames


def _with(columns: Sequence[str], rows: DataFrame) -> DataFrame:
    """``rows`` with just these columns; with all when none is named."""
    return rows.select(*map(quote, columns)) if columns else rows


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
    plan(lake.spark, _to_be_compared(lake, inputs, known_then))
    most = _MOST_LITERALS if transformer.replaces_partitions else _MOST
    found = list(_days(transformer, window, target))
    asked: list[DataFrame] = []
    own = {OWN: rows_at(lake, target, target.head or 0)} if OWN in transformer.wants else {}
    for name in known_then:
        known = _known_parts(transformer, lake, inputs, name, known_then)
        if known is None:
            asked += _parts_asked(transformer, lake, inputs, name, known_then, own)
        else:
            found.append(known)
    if asked:  # in one query: each has a plan to be made and a job to be run
        every_part = reduce(DataFrame.union, asked).distinct().limit(most + 1)
        plan(lake.spark, bytes_read(every_part))
        found.append(every_part.toArrow())
    if not found:
        return Parts(pa.table({name: [] for name in transformer.rebuild_by}))
    names = list(transformer.rebuild_by)
    every = pa.concat_tables(found, promote_options="permissive").group_by(names).aggregate([])
    return None if every.num_rows > most else Parts(every.combine_chunks())


def _to_be_compared(lake: Lake, inputs: Inputs, changed: Mapping[str, int]) -> int:
    """The bytes of the changed inputs of which nobody knows yet what changed, so that Spark has to look."""
    tables = inputs.tables
    return sum(
        tables[name].size
        for name, then in changed.items()
        if lake.changes.known_between(tables[name], then, inputs.heads[name]) is None
    )


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
    transformer: Transformer,
    lake: Lake,
    inputs: Inputs,
    name: str,
    changed: Mapping[str, int],
    own: Mapping[str, DataFrame],
) -> Iterator[DataFrame]:
    """The parts that the changed rows of one input touch, the same ones more than once.

    Args:
        changed: the inputs that changed, each with its snapshot then.
        own: the table's own rows, where its transformer asks for them.
    """
    parts = transformer.rebuild_by
    changes = lake.changes.between(lake.spark, inputs.tables[name], changed[name], inputs.heads[name])
    if name not in transformer.touched:
        yield changes.selectExpr(
            *(f"{text} AS {quote(column)}" for text, column in zip(transformer.narrows[name], parts, strict=True))
        )
        return
    follow = transformer.touched[name]
    now = _Asked(inputs.frames, lambda asked: inputs.frames[asked], own)
    yield follow(changes, now).select(*parts)
    if now.names & _asked_again(transformer, name, changed):
        then = _Asked(inputs.frames, lambda asked: _as_it_was(lake, inputs, asked, changed), own)
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
    return rows_at(lake, inputs.tables[name], changed[name])


def _days(transformer: Transformer, window: Window | None, target: IcebergTable) -> Iterator[pa.Table]:
    """The days of ``window``, for a table that is rebuilt by day."""
    kinds = {field.name: field.lake_type for field in target.fields}
    if window is None or [kinds[name] for name in transformer.rebuild_by] != ["date"]:
        return
    first, last = window.start.date(), (window.end - timedelta(microseconds=1)).date()
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    yield pa.table({transformer.rebuild_by[0]: days})
