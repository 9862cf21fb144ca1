"""The raw table that a load writes to: what its columns must become, and making it so."""

from collections.abc import Mapping

from lakehouse.errors import SchemaDriftError
from lakehouse.iceberg.lake import Lake
from lakehouse.iceberg.table import IcebergTable
from lakehouse.paths import raw
from lakehouse.raw.columns import RAW_COLUMNS, Contract
from lakehouse.raw.drift import Drift, compare
from lakehouse.raw.load import Request
from lakehouse.registry.tables import Pii, SchemaPolicy, SourceTable

_NONE = Drift({}, {}, {})


def drift(table: SourceTable, held: IcebergTable | None, contract: Contract, request: Request) -> Drift:
    """How the source's columns differ from those of ``held``.

    Raises:
        SchemaDriftError: a change would lose data, or the table's schema is frozen.
    """
    if held is None or request.replaces(table):
        return _NONE
    retired = {name for name, wish in table.columns.items() if wish.dropped or wish.pii is Pii.EXCLUDE}
    found = compare(table.table, held.fields, contract.lake_columns(), retired)
    if table.schema_policy is SchemaPolicy.FREEZE and (found.added or found.widened):
        changes = [f"{name!r} ({kind}) is new" for name, kind in found.added.items()]
        changes += [f"{name!r} is {kind} now" for name, kind in found.widened.items()]
        raise SchemaDriftError(
            f"ingesting {table.table}: the columns of {table.source.relation} changed: {'; '.join(changes)}. Expected "
            "the columns that raw has, since the registry file says `schema: freeze`. Nothing was loaded.",
            remedy="Let the change in by `schema: evolve`, or exclude a new column by `pii: exclude`, or change the "
            "source back.",
        )
    return found


def prepared(
    table: SourceTable, held: IcebergTable | None, contract: Contract, change: Drift, lake: Lake, request: Request
) -> IcebergTable:
    """Raw with the columns that this load needs: made, changed, or, when it is replaced with other types, made anew."""
    wanted: Mapping[str, str] = {**contract.lake_columns(), **RAW_COLUMNS}
    if held is not None and request.replaces(table) and _types(held) != wanted:
        lake.catalog.drop(held.name)
        held = None
    if held is None:
        return lake.catalog.create(raw(table.table), wanted)
    if change.added or change.widened:
        held.evolve(change.added, change.widened)
    return held


def _types(held: IcebergTable) -> Mapping[str, str]:
    return {field.name: field.lake_type for field in held.fields}
