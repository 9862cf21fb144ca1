"""Schema drift: what changed at the source since raw was written, and whether it may flow through.

New columns and wider types do. A narrower type does too: raw keeps the wider one. A column that is gone, and a type
that raw cannot hold, stop the table: going on would lose data.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lakehouse.errors import SchemaDriftError
from lakehouse.iceberg.arrow_types import decimal_digits
from lakehouse.iceberg.described import Field
from lakehouse.iceberg.table import IcebergTable
from lakehouse.raw.columns import RAW_COLUMNS, Contract
from lakehouse.raw.request import Request
from lakehouse.registry.tables import Pii, SchemaPolicy, SourceTable

_PROMOTED = {("int", "bigint"), ("float", "double")}
_INTEGER_DIGITS = {"int": 10, "bigint": 19}


@dataclass(frozen=True)
class Drift:
    """Changes that flow through, as column to new Spark SQL type; ``narrowed`` keeps raw's type."""

    added: dict[str, str] = field(default_factory=dict)
    widened: dict[str, str] = field(default_factory=dict)
    narrowed: dict[str, str] = field(default_factory=dict)

    def notes(self) -> list[str]:
        """What an operator should know of it."""
        notes = [f"new column {name} ({kind})" for name, kind in self.added.items()]
        notes += [f"column {name} widened to {kind}" for name, kind in self.widened.items()]
        notes += [
            f"column {name} is {kind} at the source now; raw keeps its wider type"
            for name, kind in self.narrowed.items()
        ]
        return notes


def drift(table: SourceTable, target: IcebergTable | None, contract: Contract, request: Request) -> Drift:
    """How the source's columns differ from those of ``target``, the raw table as it is.

    Raises:
        SchemaDriftError: a change would lose data, or the table's schema is frozen.
    """
    if target is None or request.replaces(table):
        return Drift()
    retired = {name for name, rule in table.columns.items() if rule.dropped or rule.pii is Pii.EXCLUDE}
    change = compare(table.table, target.fields, contract.lake_columns(), retired)
    if table.schema_policy is SchemaPolicy.FREEZE and (change.added or change.widened):
        changes = [f"{name!r} ({kind}) is new" for name, kind in change.added.items()]
        changes += [f"{name!r} is {kind} now" for name, kind in change.widened.items()]
        raise SchemaDriftError(
            f"ingesting {table.table}: the columns of {table.source.relation} changed: {'; '.join(changes)}. Expected "
            "the columns that raw has, since the registry file says `schema: freeze`. Nothing was loaded.",
            remedy="Let the change in by `schema: evolve`, or exclude a new column by `pii: exclude`, or change the "
            "source back.",
        )
    return change


def compare(what: str, fields: Sequence[Field], columns: Mapping[str, str], retired: set[str]) -> Drift:
    """How ``columns`` (the source's now) differ from ``fields`` (raw's).

    Args:
        what: the table, for the message.
        retired: columns that the registry excludes or calls dropped: raw may keep them.

    Raises:
        SchemaDriftError: a column is gone, or its new type does not fit.
    """
    in_raw = {item.name: item.lake_type for item in fields if item.name not in RAW_COLUMNS}
    added = {name: kind for name, kind in columns.items() if name not in in_raw}
    gone = [name for name in in_raw if name not in columns and name not in retired]
    if gone:
        raise _gone(what, gone[0], in_raw, added)
    widened, narrowed = {}, {}
    for name, kind in columns.items():
        before = in_raw.get(name, kind)
        if kind == before:
            continue
        if fits(before, kind):
            widened[name] = kind
        elif fits(kind, before) or _fits_integer(kind, before):
            narrowed[name] = kind
        else:
            raise SchemaDriftError(
                f"ingesting {what}: column {name!r} is {kind} at the source now; raw holds it as {before}, which cannot "
                "take every such value. Expected the same type, or a wider one.",
                remedy="Change the column back, or reload the table with --full-refresh, which rebuilds it from what "
                "the source holds today.",
            )
    return Drift(added, widened, narrowed)


def fits(narrow: str, wide: str) -> bool:
    """Whether Iceberg may change a column from ``narrow`` to ``wide``."""
    if (narrow, wide) in _PROMOTED:
        return True
    first, second = decimal_digits(narrow), decimal_digits(wide)
    return bool(first and second and first[1] == second[1] and first[0] <= second[0])


def _fits_integer(kind: str, before: str) -> bool:
    """Whether each value of ``kind`` has an exact place in the decimal ``before``."""
    digits = decimal_digits(before)
    if digits is None:
        return False
    if kind in _INTEGER_DIGITS:
        return digits[0] - digits[1] >= _INTEGER_DIGITS[kind]
    own = decimal_digits(kind)
    return own is not None and own[1] <= digits[1] and own[0] - own[1] <= digits[0] - digits[1]


def _gone(what: str, name: str, in_raw: Mapping[str, str], added: Mapping[str, str]) -> SchemaDriftError:
    twins = [new for new, kind in added.items() if kind == in_raw[name]]
    message = f"ingesting {what}: column {name!r} ({in_raw[name]}) is gone at the source; going on would lose it."
    if twins:
        return SchemaDriftError(
            f"{message} A new column of the same type is there: {', '.join(map(repr, twins))}.",
            remedy=f"If it was renamed, write `columns: {{{name}: {{source: {twins[0]}}}}}` in the registry file, which "
            f"keeps its name in the lake; if it was dropped, `columns: {{{name}: {{dropped: true}}}}`.",
        )
    return SchemaDriftError(
        message,
        remedy=f"If it was dropped for good, write `columns: {{{name}: {{dropped: true}}}}` in the registry "
        "file: the lake keeps what it holds, and later rows have NULL there.",
    )
