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
of the domain (``references/currency_rates.csv`` arrives as a DataFrame named ``currency_rates``).
"""

import hashlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from pyspark.sql import DataFrame

from lakehouse.errors import ConfigurationError
from lakehouse.paths import TableName, gold


class Touched(Protocol):
    """Says which parts of a gold table changed input rows touch.

    Gets the changed rows of each input that changed, before and after the change alike, and all inputs as they are
    now; returns a DataFrame with the ``rebuild_by`` columns, duplicates allowed.
    """

    def __call__(self, changed: Mapping[str, DataFrame], inputs: Mapping[str, DataFrame]) -> DataFrame: ...


@dataclass(frozen=True)
class Transformer:
    """A gold table and the function that makes it.

    Attributes:
        table: the table's name in gold.
        reads: for each argument of the function, the table that it is given.
        grain: the columns of which each row has its own combination; empty where rows may be alike.
        partition_by: the table's partition fields.
        rebuild_by: the columns by whose values the table is rebuilt in part; they are partition columns.
        touched: which values of ``rebuild_by`` changed rows touch; with ``rebuild_by`` only.
        definition: a fingerprint of all that the result depends on besides its inputs; when it changes, the table
            is rebuilt whole.
    """

    table: str
    function: Callable[..., DataFrame]
    reads: Mapping[str, TableName]
    grain: tuple[str, ...]
    partition_by: tuple[str, ...] = ()
    rebuild_by: tuple[str, ...] = ()
    touched: Touched | None = None
    description: str = ""
    domain: str = ""
    parameters: tuple[str, ...] = ()
    references: Mapping[str, Path] = field(default_factory=dict)
    definition: str = ""

    @property
    def target(self) -> TableName:
        return gold(self.table)


_collected: list[Transformer] = []


def transformer(
    *,
    table: str,
    reads: Mapping[str, str],
    grain: tuple[str, ...] = (),
    partition_by: tuple[str, ...] = (),
    rebuild_by: tuple[str, ...] = (),
    touched: Touched | None = None,
    description: str = "",
) -> Callable[[Callable[..., DataFrame]], Callable[..., DataFrame]]:
    """Register the decorated function as the transformer of gold table ``table``.

    Args:
        reads: for each positional argument of the function, the table it is given, as ``layer.table``.

    Raises:
        ConfigurationError: the arguments of the function and ``reads`` differ, or ``rebuild_by`` is not a part of
            ``partition_by`` or comes without ``touched``.
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
        if not set(rebuild_by) <= set(partition_by):
            raise ConfigurationError(
                f"{what}: rebuild_by {rebuild_by} is not a part of partition_by {partition_by}; "
                "a part of a table is rebuilt by replacing whole partitions."
            )
        if bool(rebuild_by) != (touched is not None):
            raise ConfigurationError(f"{what}: rebuild_by and touched come together.")
        _collected.append(
            Transformer(
                table=table,
                function=function,
                reads={name: TableName.parse(read) for name, read in reads.items()},
                grain=grain,
                partition_by=partition_by,
                rebuild_by=rebuild_by,
                touched=touched,
                description=description or inspect.cleandoc(function.__doc__ or "").split("\n")[0],
                parameters=tuple(p.name for p in signature.parameters.values() if p.kind is p.KEYWORD_ONLY),
            )
        )
        return function

    return register


def take_collected() -> list[Transformer]:
    """The transformers that were registered since the last call; the loader calls it after each module."""
    collected = list(_collected)
    _collected.clear()
    return collected


def fingerprint(*parts: str | bytes) -> str:
    """A short, stable fingerprint of texts."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode() if isinstance(part, str) else part)
        digest.update(b"\0")
    return digest.hexdigest()[:16]
