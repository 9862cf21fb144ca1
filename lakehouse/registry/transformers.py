"""The transformer registry: functions from DataFrames to a DataFrame, and what they make and read.

A transformer is pure: it reads no setting, writes no table, knows no path and asks no clock::

    @transformer(
        table="sales_per_day",
        reads={"purchases": "silver.user_purchases"},
        grain=("user_id", "date"),
        partition_by=("date",),
    )
    def sales_per_day(purchases: DataFrame) -> DataFrame: ...

Keyword-only arguments without a default are parameters of the profile (``reporting_currency``) or reference files
of the domain (``references/currency_rates.csv`` arrives as a DataFrame named ``currency_rates``). One that is called
``parts`` gets the ``rebuild_by`` values that are to be rebuilt, as a DataFrame, or ``None`` for all of them: for tables
that narrow their inputs in a way of their own.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from pyspark.sql import DataFrame

from lakehouse.errors import ConfigurationError
from lakehouse.iceberg.partitioning import PARTITION_FIELDS, is_partition
from lakehouse.paths import TableName, gold

PARTS = "parts"


class Touched(Protocol):
    """Says which parts of a gold table the changed rows of one input touch.

    Gets that input's changed rows, as they were before the change and as they are after it alike, and all inputs as
    they are now; returns a DataFrame with the ``rebuild_by`` columns, duplicates allowed.
    """

    def __call__(self, changed: DataFrame, inputs: Mapping[str, DataFrame]) -> DataFrame: ...


@dataclass(frozen=True)
class Transformer:
    """A gold table and the function that makes it.

    Attributes:
        table: the table's name in gold.
        reads: for each argument of the function, the table that it is given.
        grain: the columns of which each row has its own combination; empty where rows may be alike.
        partition_by: the table's partition fields.
        rebuild_by: the columns by whose values the table is rebuilt in part: whole partitions where they are partition
            columns, else rows merged by the grain.
        narrows: the inputs of which a part needs only its own rows: by argument, one Spark SQL expression over the
            input for each of ``rebuild_by``. Changed rows there touch the parts that these expressions give.
        touched: for other inputs, which parts changed rows touch; an input in neither makes for a whole rebuild.
        columns: what each column means; when it is given, the result has just these.
        definition: a fingerprint of all that the result depends on besides its inputs; when it changes, the table
            is rebuilt whole.
    """

    table: str
    function: Callable[..., DataFrame]
    reads: Mapping[str, TableName]
    grain: tuple[str, ...]
    partition_by: tuple[str, ...] = ()
    rebuild_by: tuple[str, ...] = ()
    narrows: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    touched: Mapping[str, Touched] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    domain: str = ""
    parameters: tuple[str, ...] = ()
    wants_parts: bool = False
    references: Mapping[str, Path] = field(default_factory=dict)
    definition: str = ""

    @property
    def target(self) -> TableName:
        return gold(self.table)

    @property
    def followed(self) -> set[str]:
        """The inputs whose changes can be followed to the parts that they touch."""
        return {*self.narrows, *self.touched}

    @property
    def replaces_partitions(self) -> bool:
        """Whether a part is some whole partitions, of one column."""
        return len(self.rebuild_by) == 1 and set(self.rebuild_by) <= set(self.partition_by)

    def checked(self, what: str) -> "Transformer":
        """This transformer, if what it says of itself holds together.

        Raises:
            ConfigurationError: what contradicts what.
        """
        for item in self.partition_by:
            if not is_partition(item):
                raise ConfigurationError(
                    f"{what}: partition_by: {item!r} is not a partition field; expected {PARTITION_FIELDS}."
                )
        inputs = set(self.reads)
        if unknown := self.followed - inputs:
            raise ConfigurationError(
                f"{what}: narrows or touched name {', '.join(sorted(unknown))}, which it does not read."
            )
        if bool(self.rebuild_by) != bool(self.followed):
            raise ConfigurationError(
                f"{what}: rebuild_by goes with narrows or touched, which say what changed rows touch; found only one."
            )
        for name, expressions in self.narrows.items():
            if len(expressions) != len(self.rebuild_by):
                raise ConfigurationError(
                    f"{what}: narrows of {name} has {len(expressions)} expressions; expected one for each of rebuild_by "
                    f"({', '.join(self.rebuild_by)})."
                )
        if self.rebuild_by and not self.replaces_partitions and not self.grain:
            raise ConfigurationError(
                f"{what}: rebuild_by {self.rebuild_by} is no partition column, so rows are merged, and that needs a grain."
            )
        return self


_collected: list[Transformer] = []


def transformer(
    *,
    table: str,
    reads: Mapping[str, str],
    grain: tuple[str, ...] = (),
    partition_by: tuple[str, ...] = (),
    rebuild_by: tuple[str, ...] = (),
    narrows: Mapping[str, str | tuple[str, ...]] | None = None,
    touched: Mapping[str, Touched] | None = None,
    columns: Mapping[str, str] | None = None,
    description: str = "",
) -> Callable[[Callable[..., DataFrame]], Callable[..., DataFrame]]:
    """Register the decorated function as the transformer of gold table ``table``.

    Args:
        reads: for each positional argument of the function, the table it is given, as ``layer.table``.

    Raises:
        ConfigurationError: the arguments of the function and ``reads`` differ, or what is said of the rebuild does
            not hold together.
    """

    def register(function: Callable[..., DataFrame]) -> Callable[..., DataFrame]:
        what = f"transformer of gold table {table!r} ({function.__module__}.{function.__qualname__})"
        signature = inspect.signature(function)
        inputs = [p.name for p in signature.parameters.values() if p.kind is not p.KEYWORD_ONLY]
        if set(inputs) != set(reads):
            raise ConfigurationError(
                f"{what}: it takes {', '.join(inputs) or 'nothing'} and reads "
                f"{', '.join(reads) or 'nothing'}; expected the same names."
            )
        _collected.append(
            Transformer(
                table=table,
                function=function,
                reads={name: TableName.parse(read) for name, read in reads.items()},
                grain=grain,
                partition_by=partition_by,
                rebuild_by=rebuild_by,
                narrows={name: (text,) if isinstance(text, str) else text for name, text in (narrows or {}).items()},
                touched=touched or {},
                columns=columns or {},
                description=description or inspect.cleandoc(function.__doc__ or "").split("\n")[0],
                parameters=tuple(
                    p.name for p in signature.parameters.values() if p.kind is p.KEYWORD_ONLY and p.name != PARTS
                ),
                wants_parts=PARTS in signature.parameters,
            ).checked(what)
        )
        return function

    return register


def take_collected() -> list[Transformer]:
    """The transformers that were registered since the last call; the loader calls it after each module."""
    collected = list(_collected)
    _collected.clear()
    return collected
