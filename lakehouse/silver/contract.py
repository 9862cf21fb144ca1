"""From raw to the contract: types, text dates, trimming, and what does not fit.

Deciding only: no Spark action here. Expressions are texts of SQL: each function of Column is some calls of the JVM.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.errors import DataError, suggest
from lakehouse.iceberg.arrow_types import decimal_digits
from lakehouse.paths import LINE, OFFSET, ORIGIN, PARTITION, engine_column, quote
from lakehouse.quoting.spark import literal
from lakehouse.raw.columns import DELETE, RAW_COLUMNS
from lakehouse.registry.tables import EPOCHS, ISO, Check, Load, OnFailure, Pii, SourceTable
from lakehouse.registry.tables import Column as Declared
from lakehouse.silver.privacy import protect, published_type
from lakehouse.sources.reader import RECORD

FAILURES = engine_column("failures")
#: Why a record could not be read at all; NULL where it could.
_BROKEN = "get_json_object(_misfits, {})".format(literal(f"$['{RECORD}']"))
FAILURE_TYPE = "array<struct<rule:string,reason:string>>"
_NOTHING = f"CAST(array() AS {FAILURE_TYPE})"


@dataclass(frozen=True)
class SilverShape:
    """The columns of a silver table.

    Attributes:
        columns: name to Spark SQL type, in order, before pseudonymisation.
        key: the columns that identify a row; empty where the table has no key.
        place: those that say where it came from, of a table whose rows arrive.
    """

    columns: Mapping[str, str]
    key: tuple[str, ...]
    place: tuple[str, ...] = ()

    def published(self, table: SourceTable) -> dict[str, str]:
        """Name to type of what silver shows, once the policies for personal data are applied."""
        kinds = {
            name: published_type(table.columns.get(name, Declared()).pii, kind) for name, kind in self.columns.items()
        }
        return {name: kind for name, kind in kinds.items() if kind is not None}

    def respells_key(self, table: SourceTable, raw_columns: Mapping[str, str]) -> bool:
        """Whether a key of silver may be spelled in several ways in raw: it is trimmed, or of another type."""
        declared = {name: table.columns.get(name, Declared()) for name in self.key}
        return any(
            rule.trim or rule.formats or self.columns[name] != raw_columns[name] for name, rule in declared.items()
        )

    def dropped(self, table: SourceTable) -> list[str]:
        """The columns that the source no longer has."""
        return [name for name in self.columns if table.columns.get(name, Declared()).dropped]

    def protected(self, table: SourceTable, pseudonym_key: bytes | None) -> list[Column]:
        """The columns of :meth:`published`, out of those of this shape."""
        policies = {name: table.columns.get(name, Declared()).pii for name in self.published(table)}
        return [protect(F.col(quote(name)), policy, pseudonym_key).alias(name) for name, policy in policies.items()]


def shape(table: SourceTable, raw_columns: Mapping[str, str], key: tuple[str, ...]) -> SilverShape:
    """What silver's columns are, given raw's.

    Raises:
        DataError: the registry names a column that raw does not have, or raw has one without a policy in a table that
            holds personal data.
    """
    known = [name for name in raw_columns if name not in RAW_COLUMNS]
    for name, declared in table.columns.items():
        if name not in raw_columns and declared.pii is not Pii.EXCLUDE and not declared.dropped:
            raise DataError(
                f"transforming {table.table}: raw has no column {name!r}. {suggest(name, known)}",
                remedy="Ingest the table again, or correct the registry file.",
            )
    if unknown := table.without_policy(known):
        raise DataError(
            f"transforming {table.table}: it holds personal data, and raw has columns without a `pii` policy: "
            f"{', '.join(unknown)}; expected one for each. Nothing of this load went to silver.",
            remedy="Add each to `columns:` in the registry file, with a `pii:` policy.",
        )
    excluded = {name for name, declared in table.columns.items() if declared.pii is Pii.EXCLUDE}
    types = {
        name: (table.columns.get(name, Declared()).type or raw_columns[name]) for name in known if name not in excluded
    }
    place = [name for name in (ORIGIN, LINE, PARTITION, OFFSET) if name in types and table.load is Load.ARRIVALS]
    return SilverShape(types, key, tuple(place))


def conform(raw: DataFrame, table: SourceTable, silver: SilverShape, keep: Sequence[str] = ()) -> DataFrame:
    """``raw`` with the contract's columns and types, raw's engine columns, and :data:`FAILURES`: what each row breaks.

    A cell that does not fit is NULL, and the reason names it. A tombstone has nothing but a key, and breaks
    nothing if it has one.

    Args:
        keep: columns of ``raw`` that come along as they are.
    """
    raw_types = dict(raw.dtypes)
    typed, failures = [], []
    for name, kind in silver.columns.items():
        declared = table.columns.get(name, Declared())
        source = f"trim({quote(name)})" if declared.trim and raw_types[name] == "string" else quote(name)
        value = _cast(source, raw_types[name], kind, declared.formats)
        typed.append(f"{value} AS {quote(name)}")
        if kind != raw_types[name]:
            reason = f"concat({literal(f'{name}: ')}, {_shown(source, declared)}, {literal(f' is not a {kind}')})"
            failures.append(_failure(f"{source} IS NOT NULL AND {value} IS NULL", f"type_{name}", reason))
        if not declared.nullable or name in silver.key:
            missing = f"{source} IS NULL AND NOT {_is_misfit(name)}"
            failures.append(_failure(missing, f"missing_{name}", literal(f"{name}: a value is required")))
    reason = f"concat('values that fit no type of the lake: ', {_misfits_shown(table)})"
    failures.append(_failure("_misfits IS NOT NULL", "does_not_fit", reason))
    broken = f"named_struct('rule', 'broken_record', 'reason', {_BROKEN})"
    found = (
        f"CASE WHEN _op = {literal(DELETE)} THEN {_broken_by_tombstone(silver.key)} "
        f"WHEN {_BROKEN} IS NOT NULL THEN array({broken}) ELSE {_found(failures)} END AS {quote(FAILURES)}"
    )
    return raw.selectExpr(*typed, *RAW_COLUMNS, *map(quote, keep), found)


def _broken_by_tombstone(key: Sequence[str]) -> str:
    """What a row that says of a key that it is gone breaks: it may not say which one."""
    if not key:
        return _NOTHING
    reason = literal(f"it says that a row is gone, and not which: {', '.join(key)} is not there")
    is_keyless = " OR ".join(f"{quote(name)} IS NULL" for name in key)
    return _found([_failure(is_keyless, "missing_key", reason)])


def check(conformed: DataFrame, table: SourceTable) -> DataFrame:
    """``conformed`` with what its rows break of the table's ``reject`` checks added to :data:`FAILURES`."""
    rejecting = [rule for rule in table.checks if rule.on_failure is OnFailure.REJECT]
    if not rejecting:
        return conformed
    broken = [
        _failure(breaks(rule), rule.name, literal(rule.description or f"expected: {rule.expect}")) for rule in rejecting
    ]
    here = quote(FAILURES)
    says_it_all = f"_op = {literal(DELETE)} OR {_BROKEN} IS NOT NULL"
    both = f"CASE WHEN {says_it_all} THEN {here} ELSE concat({here}, {_found(broken)}) END AS {here}"
    return conformed.selectExpr(*(quote(name) for name in conformed.columns if name != FAILURES), both)


def breaks(rule: Check) -> str:
    """The condition, over a conformed row, that it breaks ``rule``; a rule that comes to NULL holds."""
    return f"NOT coalesce(({rule.expect}\n), true)"  # a line of its own ends a comment in the rule


def _failure(condition: str, rule: str, reason: str) -> str:
    return f"CASE WHEN {condition} THEN named_struct('rule', {literal(rule)}, 'reason', {reason}) END"


def _found(failures: Sequence[str]) -> str:
    """The failures that are there, of expressions that are NULL where there is none."""
    return f"CAST(filter(array({', '.join(failures)}), item -> item IS NOT NULL) AS {FAILURE_TYPE})"


def _shown(value: str, declared: Declared) -> str:
    """The value for a reason; personal data stays out of it."""
    if declared.pii not in {None, Pii.NONE}:
        return "'the value'"
    return f"concat('\\'', substring(CAST({value} AS STRING), 1, 100), '\\'')"


def _misfits_shown(table: SourceTable) -> str:
    """The values for a reason; of a table that protects columns only their names."""
    if all(column.pii in {None, Pii.NONE} for column in table.columns.values()):
        return "_misfits"
    return "array_join(json_object_keys(_misfits), ', ')"


def _is_misfit(name: str) -> str:
    path = f"$['{name}']"
    return f"coalesce(get_json_object(_misfits, {literal(path)}) IS NOT NULL, false)"


def _cast(value: str, before: str, kind: str, formats: tuple[str, ...]) -> str:
    """``value`` as ``kind``, NULL where it is none. A number that would lose digits is none."""
    if kind == before and not formats:
        return value
    if formats:
        moment = f"coalesce({', '.join(_moment(value, pattern) for pattern in formats)})"
        return moment if kind == "timestamp" else f"CAST({moment} AS DATE)"
    cast = f"try_cast({value} AS {kind})"
    digits = decimal_digits(kind)
    if digits is not None and before in {"string", "double", "float"}:
        return f"CASE WHEN {_is_exact(f'CAST({value} AS STRING)', cast, *digits)} THEN {cast} END"
    if (digits is not None or kind in {"int", "bigint"}) and (before in {"double", "float"} or decimal_digits(before)):
        return f"CASE WHEN {cast} = {value} THEN {cast} END"
    return cast


def _moment(value: str, pattern: str) -> str:
    """``value`` as a moment, NULL where it is not written by ``pattern`` (see :class:`lakehouse.registry.tables.Column`)."""
    if pattern == ISO:
        return f"CASE WHEN {value} RLIKE '^ *[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}' THEN try_cast({value} AS timestamp) END"
    if pattern not in EPOCHS:
        return f"try_to_timestamp({value}, {literal(pattern)})"
    lowest, below, micros = EPOCHS[pattern]
    text = f"CAST({value} AS STRING)"
    number = f"CASE WHEN {text} RLIKE '^ *-?[0-9]{{1,14}}([.][0-9]{{1,9}})? *$' THEN CAST({text} AS decimal(23,9)) END"
    fits = f"abs({number}) >= {lowest} AND abs({number}) < {below}"
    return f"CASE WHEN {fits} THEN timestamp_micros(CAST({number} * {micros} AS bigint)) END"


def _is_exact(text: str, cast: str, precision: int, scale: int) -> str:
    """Whether ``cast``, a decimal, has all digits of ``text``: by its digits, or where it has an exponent by its value."""
    plain = rf"^\s*[+-]?\d*(\.\d{{0,{scale}}}0*)?\s*$"
    wider = f"try_cast({text} AS decimal(38,{min(38 - (precision - scale), 18)}))"
    return f"({text} RLIKE {literal(plain)} OR {cast} = {wider})"
