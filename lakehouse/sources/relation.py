"""What a source says of one relation: the common language of all kinds of source."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import NamedTuple


class CursorKind(StrEnum):
    """What the values of a cursor are: whole numbers, days, or moments (UTC)."""

    INTEGER = "integer"
    DATE = "date"
    MOMENT = "moment"


class Likely(NamedTuple):
    """What values are like: a Spark SQL type, and how they are written where that has several ways or an odd one."""

    kind: str
    formats: tuple[str, ...] = ()


@dataclass(frozen=True)
class SourceColumn:
    """A column as the source has it and as the lake will hold it.

    Attributes:
        source_name: the name at the source, verbatim.
        name: the name in the lake (see :func:`lakehouse.paths.column_name`).
        source_type: the type as the source spells it, for messages and documentation.
        lake_type: a Spark SQL type: ``boolean``, ``int``, ``bigint``, ``float``, ``double``, ``decimal(p,s)``,
            ``string``, ``binary``, ``date`` or ``timestamp``. What Spark has no match for is ``string``.
        nullable: whether the source may hold NULL.
        cursor: what kind of cursor it can be; ``None`` for types that make none.
        identity: tells the column from another of the same name that took its place; empty where the source cannot.
        likely: what its texts are like, for a first contract; absent where the source says the type.
    """

    source_name: str
    name: str
    source_type: str
    lake_type: str
    nullable: bool = True
    cursor: CursorKind | None = None
    identity: str = ""
    likely: Likely | None = None


@dataclass(frozen=True)
class SourceRelation:
    """A relation of a source.

    Attributes:
        name: qualified as the source qualifies it, for messages.
        columns: in the source's order.
        key: names in the lake of the primary key's columns, in key order; empty when there is none.
        options: what a first contract says of it besides (see :class:`lakehouse.sources.reader.Wanted`).
    """

    name: str
    columns: tuple[SourceColumn, ...]
    key: tuple[str, ...]
    options: Mapping[str, str] = field(default_factory=dict)

    def column(self, name: str) -> SourceColumn:
        """The column of that lake name; ``KeyError`` when there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def named(self, names: Mapping[str, str]) -> "SourceRelation":
        """The same relation with the lake names that ``names`` gives for names at the source."""
        columns = tuple(replace(column, name=names.get(column.source_name, column.name)) for column in self.columns)
        changed = {before.name: after.name for before, after in zip(self.columns, columns, strict=True)}
        return replace(self, columns=columns, key=tuple(changed[name] for name in self.key))
