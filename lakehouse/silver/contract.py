"""From raw to the contract: types, text dates, trimming, and what does not fit.

Deciding only: no Spark action here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.errors import DataError, suggest
from lakehouse.iceberg.arrow_types import decimal_digits
from lakehouse.paths import engine_column, quote
from lakehouse.raw.columns import DELETE, RAW_COLUMNS
from lakehouse.registry.tables import Column as Declared
from lakehouse.registry.tables import OnFailure, Pii, SourceTable
from lakehouse.silver.privacy import protect, published_type

FAILURES = engine_column("failures")
FAILURE_TYPE = "array<struct<rule:string,reason:string>>"


@dataclass(frozen=True)
class SilverShape:
    """The columns of a silver table.

    Attributes:
        columns: name to Spark SQL type, in order, before pseudonymisation.
        key: the columns that identify a row; empty where the table has no key.
    """

    columns: Mapping[str, str]
    key: tuple[str, ...]

    def published(self, table: SourceTable) -> dict[str, str]:
        """Name to type of what silver shows, once the policies for personal data are applied."""
        kinds = {
            name: published_type(table.columns.get(name, Declared()).pii, kind) for name, kind in self.columns.items()
        }
        return {name: kind for name, kind in kinds.items() if kind is not None}

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
    if table.holds_pii and (unknown := [name for name in known if name not in table.columns]):
        raise DataError(
            f"transforming {table.table}: it holds personal data, and raw has columns without a `pii` policy: "
            f"{', '.join(unknown)}; expected one for each. Nothing of this load went to silver.",
            remedy="Add each to `columns:` in the registry file, with a `pii:` policy.",
        )
    excluded = {name for name, declared in table.columns.items() if declared.pii is Pii.EXCLUDE}
    types = {
        name: (table.columns.get(name, Declared()).type or raw_columns[name]) for name in known if name not in excluded
    }
    return SilverShape(types, key)


def conform(raw: DataFrame, table: SourceTable, silver: SilverShape, keep: Sequence[str] = ()) -> DataFrame:
    """``raw`` with the contract's columns and types, raw's engine columns, and :data:`FAILURES`: what each row breaks.

    A cell that does not fit is NULL, and the reason names it. A tombstone has nothing but a key, and breaks nothing.

    Args:
        keep: columns of ``raw`` that come along as they are.
    """
    raw_types = dict(raw.dtypes)
    typed, failures = [], []
    for name, kind in silver.columns.items():
        declared = table.columns.get(name, Declared())
        source = F.trim(F.col(quote(name))) if declared.trim and raw_types[name] == "string" else F.col(quote(name))
        value = _cast(source, raw_types[name], kind, declared.formats)
        typed.append(value.alias(name))
        if kind != raw_types[name]:
            unreadable = source.isNotNull() & value.isNull()
            failures.append(
                _failure(
                    unreadable,
                    f"type_{name}",
                    F.concat(F.lit(f"{name}: "), _shown(source, declared), F.lit(f" is not a {kind}")),
                )
            )
        if not declared.nullable or name in silver.key:
            missing = source.isNull() & ~_is_misfit(name)
            failures.append(_failure(missing, f"missing_{name}", F.lit(f"{name}: a value is required")))
    failures.append(
        _failure(
            F.col("_misfits").isNotNull(),
            "does_not_fit",
            F.concat(F.lit("values that fit no type of the lake: "), _misfits_shown(table)),
        )
    )
    found = F.filter(F.array(*failures), lambda item: item.isNotNull()).cast(FAILURE_TYPE)
    nothing = F.array().cast(FAILURE_TYPE)
    failures_found = F.when(F.col("_op") == DELETE, nothing).otherwise(found)
    return raw.select(*typed, *RAW_COLUMNS, *keep, failures_found.alias(FAILURES))


def check(conformed: DataFrame, table: SourceTable) -> DataFrame:
    """``conformed`` with what its rows break of the table's ``reject`` checks added to :data:`FAILURES`."""
    rejecting = [rule for rule in table.checks if rule.on_failure is OnFailure.REJECT]
    if not rejecting:
        return conformed
    broken = [
        _failure(
            ~F.coalesce(F.expr(rule.expect), F.lit(True)),
            rule.name,
            F.lit(rule.description or f"expected: {rule.expect}"),
        )
        for rule in rejecting
    ]
    found = F.filter(F.array(*broken), lambda item: item.isNotNull()).cast(FAILURE_TYPE)
    both = F.when(F.col("_op") == DELETE, F.col(FAILURES)).otherwise(F.concat(F.col(FAILURES), found))
    return conformed.withColumn(FAILURES, both)


def _failure(condition: Column, rule: str, reason: Column) -> Column:
    return F.when(condition, F.struct(F.lit(rule).alias("rule"), reason.alias("reason")))


def _shown(value: Column, declared: Declared) -> Column:
    """The value for a reason; personal data stays out of it."""
    if declared.pii not in {None, Pii.NONE}:
        return F.lit("the value")
    return F.concat(F.lit("'"), F.substring(value.cast("string"), 1, 100), F.lit("'"))


def _misfits_shown(table: SourceTable) -> Column:
    """The values for a reason; of a table that protects columns only their names."""
    if all(column.pii in {None, Pii.NONE} for column in table.columns.values()):
        return F.col("_misfits")
    return F.array_join(F.json_object_keys(F.col("_misfits")), ", ")


def _is_misfit(name: str) -> Column:
    return F.coalesce(F.get_json_object(F.col("_misfits"), f"$['{name}']").isNotNull(), F.lit(False))


def _cast(value: Column, before: str, kind: str, formats: tuple[str, ...]) -> Column:
    """``value`` as ``kind``, NULL where it is none. A number that would lose digits is none."""
    if kind == before and not formats:
        return value
    if formats:
        parsed = [F.try_to_timestamp(value, F.lit(pattern)) for pattern in formats]
        moment = F.coalesce(*parsed)
        return moment if kind == "timestamp" else moment.cast("date")
    cast = value.try_cast(kind)
    digits = decimal_digits(kind)
    if digits is not None and before in {"string", "double", "float"}:
        return F.when(_is_exact(value.cast("string"), cast, *digits), cast)
    if (digits is not None or kind in {"int", "bigint"}) and (before in {"double", "float"} or decimal_digits(before)):
        return F.when(cast == value, cast)
    return cast


def _is_exact(text: Column, cast: Column, precision: int, scale: int) -> Column:
    """Whether ``cast``, a decimal, has all digits of ``text``: by its digits, or where it has an exponent by its value."""
    plain = rf"^\s*[+-]?\d*(\.\d{{0,{scale}}}0*)?\s*$"
    wider = text.try_cast(f"decimal(38,{min(38 - (precision - scale), 18)})")
    return text.rlike(plain) | (cast == wider)
