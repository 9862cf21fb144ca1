"""What a registry file and a source relation agree on: the columns that are read, the key and the cursor."""

from collections.abc import Collection
from dataclasses import dataclass

from lakehouse.errors import DataError, SourceError, suggest
from lakehouse.registry.tables import KEEPS_APART, Pii, SourceTable
from lakehouse.sources.reader import DELETE as DELETE  # noqa: PLC0414  (raw's rows bear them, whoever said them)
from lakehouse.sources.reader import OPERATION as OPERATION  # noqa: PLC0414
from lakehouse.sources.reader import UPSERT as UPSERT  # noqa: PLC0414
from lakehouse.sources.relation import CursorKind, SourceColumn, SourceRelation

#: The engine's columns in each raw table and their types.
RAW_COLUMNS = {"_run_id": "string", "_ingested_at": "timestamp", "_op": "string", "_misfits": "string"}


@dataclass(frozen=True)
class Contract:
    """What is read of a relation.

    Attributes:
        columns: all but the excluded ones, in the source's order, by their lake names.
        key: lake names; empty when the table has no key.
        cursor: lake name; ``None`` for a full load.
        origin: connection and relation.
    """

    columns: tuple[SourceColumn, ...]
    key: tuple[str, ...]
    cursor: str | None
    origin: str = ""

    @property
    def names(self) -> list[str]:
        """The lake names of the columns."""
        return [column.name for column in self.columns]

    @property
    def cursor_kind(self) -> CursorKind | None:
        """What kind of cursor the table has; ``None`` for a full load."""
        return self.column(self.cursor).cursor if self.cursor else None

    def lake_columns(self) -> dict[str, str]:
        """Column name to Spark SQL type, in raw, without the engine's."""
        return {column.name: column.lake_type for column in self.columns}

    def column(self, name: str) -> SourceColumn:
        return next(column for column in self.columns if column.name == name)


def renames(table: SourceTable) -> dict[str, str]:
    """Lake names by names at the source, where the registry gives them."""
    return {column.source: name for name, column in table.columns.items() if column.source is not None}


def resolve(table: SourceTable, relation: SourceRelation) -> Contract:
    """The contract of ``table`` with ``relation``, whose columns bear the registry's names already.

    Raises:
        SourceError: a column that the registry names is not at the source.
        DataError: a column without a policy in a table that holds personal data, a part of a primary key that is not read,
            an incremental table without key, or a cursor of a type that makes none.
    """
    names = {column.name for column in relation.columns}
    for name, rule in table.columns.items():
        if name not in names and not rule.dropped:
            raise _missing(table, relation, rule.source or name)
    if without := table.without_policy(column.name for column in relation.columns):
        unknown = [relation.column(name).source_name for name in without]
        raise DataError(
            f"ingesting {table.table}: it holds personal data, and {relation.name} has columns without a `pii` policy: "
            f"{', '.join(unknown)}.",
            remedy=f"Add each to `columns:` in the registry file, with a `pii:` policy: {', '.join(Pii)}.",
        )
    excluded = {name for name, rule in table.columns.items() if rule.pii is Pii.EXCLUDE or rule.dropped}
    key = tuple(_lake_name(table, relation, name) for name in table.key) or _primary_key(table, relation, excluded)
    cursor = _lake_name(table, relation, table.follows) if table.follows else None
    if cursor and not key:
        raise DataError(
            f"ingesting {table.table}: it loads incrementally, and neither the registry nor {relation.name} has a key; "
            "expected one, since rows at the boundary are read twice and fall together on it.",
            remedy="Set `key:`, or load the table in full.",
        )
    if cursor and relation.column(cursor).cursor is None:
        raise DataError(
            f"ingesting {table.table}: cursor {cursor!r} is {relation.column(cursor).source_type}; expected a timestamp, a "
            "date or an integer.",
            remedy="Name another cursor, or load the table in full.",
        )
    origin = f"{table.source.connection} {relation.name}"
    return Contract(tuple(c for c in relation.columns if c.name not in excluded), key, cursor, origin)


def _primary_key(table: SourceTable, relation: SourceRelation, excluded: Collection[str]) -> tuple[str, ...]:
    """The source's primary key; empty where all of it is excluded. A part of one would make one row of many."""
    key = tuple(name for name in relation.key if name not in excluded)
    if key and key != relation.key:
        gone = [name for name in relation.key if name in excluded]
        raise DataError(
            f"ingesting {table.table}: the primary key of {relation.name} is ({', '.join(relation.key)}), and "
            f"{', '.join(gone)} is not read; expected all of it, since rows that differ there only would become one.",
            remedy=f"Give {', '.join(gone)} another policy, such as `pii: pseudonymise`, or name another `key:`.",
        )
    for name in key:
        if name in table.columns and table.columns[name].pii not in KEEPS_APART:
            raise DataError(
                f"ingesting {table.table}: column {name!r} is of the primary key of {relation.name}, and "
                f"`pii: {table.columns[name].pii}` would make different keys alike; expected none or pseudonymise.",
                remedy="Correct the policy, or name another `key:`.",
            )
    return key


def _lake_name(table: SourceTable, relation: SourceRelation, spelled: str) -> str:
    """The lake name of a column that the registry names by its lake name or by its name at the source."""
    for column in relation.columns:
        if spelled in (column.name, column.source_name):
            return column.name
    raise _missing(table, relation, spelled)


def _missing(table: SourceTable, relation: SourceRelation, column: str) -> SourceError:
    known = [c.source_name for c in relation.columns]
    return SourceError(
        f"ingesting {table.table}: {relation.name} has no column {column!r}. {suggest(column, known)}",
        remedy="Correct the registry file; if the source dropped the column, write `dropped: true`.",
    )
