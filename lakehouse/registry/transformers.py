"""The transformer registry: functions from DataFrames to a DataFrame, and what they make and read.

A transformer is pure: it reads no setting, writes no table, knows no path and asks no clock::

    @transformer(
        table="coupons_by_day",
        reads={"coupons": "silver.coupons"},
        grain=("day",),
        partition_by=("months(day)",),
    )
    def coupons_by_day(coupons: DataFrame) -> DataFrame: ...

Keyword-only arguments without a default are parameters of the profile (``reporting_currency``) or reference files
of the domain (``references/coupon_kinds.csv`` arrives as a DataFrame named ``coupon_kinds``). Two the engine gives, as
DataFrames where parts of the table are rebuilt and as ``None`` where all of it is:

- ``parts``: the ``rebuild_by`` values that are to be rebuilt, for tables that narrow their inputs in a way of their own.
- ``own``: the rows that the table has, for one that goes on from them. Those of other parts are right and stay; of the
  parts to be rebuilt they are what was. Functions of ``touched`` find it among the inputs.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Never, Protocol

from pydantic import ValidationError
from pyspark.sql import DataFrame

from lakehouse import yaml_file
from lakehouse.errors import ConfigurationError
from lakehouse.paths import TableName, gold
from lakehouse.registry.collecting import hand_in
from lakehouse.registry.declaration import Declaration, Said
from lakehouse.registry.models import Model

PARTS, OWN = "parts", "own"
GIVEN_BY_THE_ENGINE = frozenset({PARTS, OWN})


class Touched(Protocol):
    """Says which parts of a gold table the changed rows of one input touch.

    Gets that input's changed rows, as they were before the change and as they are after it alike, and all inputs at one
    moment; returns a DataFrame with the ``rebuild_by`` columns, duplicates allowed.

    It is asked with the inputs as they are and, where it looks into some that changed (its own among them), again with
    the inputs as they were; what either answer names is rebuilt. So it follows a row to its parts in the lake that it is
    given, and need not think of the other one. It is asked once where all that it looks into is narrowed, or stands
    before its own input in ``touched``: their rows have then been followed to the same parts.
    """

    def __call__(self, changed: DataFrame, inputs: Mapping[str, DataFrame]) -> DataFrame: ...


@dataclass(frozen=True)
class Transformer:
    """A gold table and the function that makes it. What is not told here is as in :class:`Declaration`.

    Attributes:
        reads: for each argument of the function, the table that it is given; ``narrows``, ``touched`` and ``uses``
            name inputs by these arguments too.
        domain: the folder of the registry in which it stands.
        parameters: the arguments that the profile gives.
        wants: which of :data:`GIVEN_BY_THE_ENGINE` the function takes.
        references: the arguments that are reference files of the domain.
        model: the model whose champion makes the rows, and not :attr:`function`; empty for others.
        definition: a fingerprint of all that the result depends on besides its inputs and the profile's parameters;
            when it changes, the table is rebuilt whole.
    """

    table: str
    function: Callable[..., DataFrame]
    reads: Mapping[str, TableName]
    grain: tuple[str, ...]
    partition_by: tuple[str, ...] = ()
    rebuild_by: tuple[str, ...] = ()
    narrows: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    touched: Mapping[str, Touched] = field(default_factory=dict)
    uses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    domain: str = ""
    parameters: tuple[str, ...] = ()
    wants: frozenset[str] = frozenset()
    references: Mapping[str, Path] = field(default_factory=dict)
    model: str = ""
    definition: str = ""

    @classmethod
    def of(
        cls,
        declaration: Declaration,
        function: Callable[..., DataFrame],
        parameters: tuple[str, ...],
        arguments: Mapping[str, str] | None = None,
        *,
        wants: frozenset[str] = frozenset(),
    ) -> "Transformer":
        """The transformer that ``declaration`` says ``function`` is.

        Args:
            arguments: for each input, the argument of the function; its own name when absent.
        """
        named = arguments or {name: name for name in declaration.reads}
        return cls(
            table=declaration.table,
            function=function,
            reads={named[name]: table for name, table in declaration.reads.items()},
            grain=declaration.grain,
            partition_by=declaration.partition_by,
            rebuild_by=declaration.rebuild_by,
            narrows={named[name]: expressions for name, expressions in declaration.narrows.items()},
            touched={named[name]: follow for name, follow in declaration.touched.items()},
            uses={named[name]: columns for name, columns in declaration.uses.items()},
            columns=declaration.columns,
            description=declaration.description,
            parameters=parameters,
            wants=wants,
        )

    @classmethod
    def of_scores(cls, model: Model) -> "Transformer":
        """The table of a model's scores. Its function is bound when its champion is known."""
        return cls(
            table=model.said.scores,
            function=_not_bound,
            reads=model.reads,
            grain=model.said.grain,
            columns=model.columns,
            description=f"What the champion of model {model.name} says. {model.said.description}".strip(),
            domain=model.domain,
            model=model.name,
            definition=model.definition,
        )

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


def _not_bound(**_inputs: DataFrame) -> DataFrame:
    raise ConfigurationError("a model makes its rows, of which nobody knows the columns that they follow from")


def transformer(
    *,
    table: str,
    reads: Mapping[str, str],
    grain: Said = (),
    partition_by: Said = (),
    rebuild_by: Said = (),
    narrows: Mapping[str, Said] | None = None,
    touched: Mapping[str, Touched] | None = None,
    uses: Mapping[str, Said] | None = None,
    columns: Mapping[str, str] | None = None,
    description: str = "",
    **unknown: Never,
) -> Callable[[Callable[..., DataFrame]], Callable[..., DataFrame]]:
    """Register the decorated function as the transformer of gold table ``table``.

    Args:
        reads: for each positional argument of the function, the table it is given, as ``layer.table``.
        unknown: is refused like an unknown key of a file.

    The other arguments are those of :class:`Declaration`; the description is the docstring's first line when absent.

    Raises:
        ConfigurationError: what is said does not hold together, or the arguments of the function and ``reads`` differ;
            file and line are those of the function.
    """

    def register(function: Callable[..., DataFrame]) -> Callable[..., DataFrame]:
        where = f"{_place(function)}: transformer of gold table {table!r}: "
        signature = inspect.signature(function)
        inputs = [p.name for p in signature.parameters.values() if p.kind is not p.KEYWORD_ONLY]
        named = [p.name for p in signature.parameters.values() if p.kind is p.KEYWORD_ONLY]
        given = [name for name in named if name not in GIVEN_BY_THE_ENGINE]
        if set(inputs) != set(reads):
            raise ConfigurationError(
                f"{where}it takes {', '.join(inputs) or 'nothing'} and reads "
                f"{', '.join(reads) or 'nothing'}; expected the same names."
            )
        said = {
            "table": table,
            "reads": dict(reads),
            "columns": dict(columns or {}),
            "grain": grain,
            "partition_by": partition_by,
            "rebuild_by": rebuild_by,
            "narrows": dict(narrows or {}),
            "touched": dict(touched or {}),
            "uses": dict(uses or {}),
            "description": description or inspect.cleandoc(function.__doc__ or "").split("\n")[0],
            **unknown,
        }
        try:
            declaration = Declaration.model_validate(said)
        except ValidationError as error:
            told = yaml_file.mistakes(Declaration, error, lambda _: where)
            raise ConfigurationError("\n".join(told)) from None
        made = Transformer.of(declaration, function, tuple(given), wants=GIVEN_BY_THE_ENGINE & set(named))
        hand_in(made)
        return function

    return register


def _place(function: Callable[..., DataFrame]) -> str:
    code = getattr(inspect.unwrap(function), "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else function.__module__
