"""What may be said of a gold table: by the decorator of a Python transformer, or by the head of a SQL one."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from lakehouse.errors import ConfigurationError, suggest
from lakehouse.model import Strict
from lakehouse.paths import Layer, TableName
from lakehouse.registry.fields import VALID_PARTITIONING, TableText

READABLE = (Layer.SILVER, Layer.GOLD)

#: One name, or several of them.
Said = str | Sequence[str]


def _several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _table(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        name = TableName.parse(value)
    except ConfigurationError as error:
        raise ValueError(str(error)) from None
    if name.layer not in READABLE:
        raise ValueError(f"{value!r} is of layer {name.layer}; expected a table of silver or gold")
    return name


Names = Annotated[tuple[str, ...], BeforeValidator(_several)]
Readable = Annotated[TableName, BeforeValidator(_table)]


class Declaration(Strict):
    """A gold table, as its transformer declares it. ``name`` is short for ``[name]`` where several may stand.

    Attributes:
        reads: for each input, by the name that it has in ``narrows``, ``touched`` and ``uses``, the table that it is.
        columns: what each column means; when it is given, the result has just these.
        grain: the columns of which each row has its own combination; empty where rows may be alike.
        partition_by: the table's partition fields.
        rebuild_by: the columns by whose values the table is rebuilt in part: whole partitions where they are partition
            columns, else rows merged by the grain.
        narrows: the inputs of which a part needs only its own rows: one Spark SQL expression over the input for each
            of ``rebuild_by``. Changed rows there touch the parts that these expressions give.
        touched: which parts changed rows of an input touch, instead of those that ``narrows`` would give; an input in
            neither makes for a whole rebuild.
        uses: the columns of an input that the transformer is given; all when absent. What it is not given is not read.
    """

    table: TableText
    reads: dict[str, Readable]
    columns: dict[str, str] = Field(default_factory=dict)
    grain: Names = ()
    partition_by: Annotated[Names, VALID_PARTITIONING] = ()
    rebuild_by: Names = ()
    narrows: dict[str, Names] = Field(default_factory=dict)
    touched: dict[str, Callable[..., Any]] = Field(default_factory=dict)
    uses: dict[str, Names] = Field(default_factory=dict)
    description: str = ""

    @field_validator("grain", "rebuild_by")
    @classmethod
    def _known_columns(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        columns = info.data.get("columns")
        for name in value:
            if columns and name not in columns:
                raise ValueError(f"{name!r} is not among `columns`. {suggest(name, list(columns))}")
        return value

    @field_validator("narrows", "touched", "uses")
    @classmethod
    def _of_inputs(cls, value: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        reads = info.data.get("reads")
        for name in value:
            if reads is not None and name not in reads:
                raise ValueError(f"{name!r} is not among what it reads. {suggest(name, list(reads))}")
        return value

    @field_validator("narrows")
    @classmethod
    def _an_expression_for_each(cls, value: dict[str, tuple[str, ...]], info: ValidationInfo) -> dict[str, Any]:
        columns = info.data.get("rebuild_by", ())
        for name, expressions in value.items():
            if columns and len(expressions) != len(columns):
                raise ValueError(
                    f"{name} has {len(expressions)} expressions; expected one for each of rebuild_by ({', '.join(columns)})"
                )
        return value

    @model_validator(mode="after")
    def _rebuilt_in_part(self) -> Self:
        if bool(self.rebuild_by) != bool({*self.narrows, *self.touched}):
            raise ValueError(
                "rebuild_by goes with narrows or touched, which say what changed rows touch; found only one"
            )
        if self.rebuild_by and not self.replaces_partitions and not self.grain:
            raise ValueError(
                f"rebuild_by ({', '.join(self.rebuild_by)}) is no partition column, so rows are merged, and that needs a grain"
            )
        return self

    @property
    def replaces_partitions(self) -> bool:
        """Whether a part is some whole partitions, of one column."""
        return len(self.rebuild_by) == 1 and set(self.rebuild_by) <= set(self.partition_by)
