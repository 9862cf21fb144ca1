"""How a PostgreSQL type comes into the lake: as which type, by which expression, and what does not fit.

Values that Spark has a match for arrive as that type; all others as the text that PostgreSQL itself writes, so that
nothing is lost. A value that no target can hold (an infinite timestamp, a date BC, NaN in a numeric) arrives as NULL,
and its text goes to the column ``_misfits``, which rejects the row in silver.
"""

from dataclasses import dataclass

from lakehouse.sources.postgres.quoting import quote_identifier, quote_literal
from lakehouse.sources.relation import CursorKind

_AS_IS = {
    "bool": "boolean",
    "int8": "bigint",
    "float4": "float",
    "float8": "double",
    "bytea": "binary",
    "text": "string",
    "varchar": "string",
    "bpchar": "string",
}
_LARGEST_PRECISION = 38
_FIRST_DAY, _LAST_DAY, _AFTER = "0001-01-01", "9999-12-31", "10000-01-01"


@dataclass(frozen=True)
class ReadAs:
    """How one column is read.

    Attributes:
        lake_type: the Spark SQL type that it becomes.
        expression: SQL that gives it; NULL where the value does not fit.
        fits: SQL that is true where a value that is not NULL fits the type; absent when all do.
        cursor: what kind of cursor the column can be; absent for types that make none.
        as_bound: SQL that turns a literal, put for ``{}``, into a value to compare a cursor with.
    """

    lake_type: str
    expression: str
    fits: str | None = None
    cursor: CursorKind | None = None
    as_bound: str = "{}"


def read_as(column: str, base_type: str, modifier: int, timezone: str) -> ReadAs:
    """How to read ``column`` of the type ``base_type`` (``pg_type.typname``, domains resolved).

    Args:
        modifier: ``pg_attribute.atttypmod``: precision and scale of a numeric.
        timezone: the zone of timestamps without one.
    """
    name = quote_identifier(column)
    if base_type in _AS_IS:
        whole = base_type == "int8"
        return ReadAs(_AS_IS[base_type], name, cursor=CursorKind.INTEGER if whole else None, as_bound="{}::int8")
    match base_type:
        case "int2" | "int4":
            return ReadAs("int", f"{name}::int4", cursor=CursorKind.INTEGER, as_bound="{}::int8")
        case "oid" | "xid" | "cid":
            return ReadAs("bigint", f"{name}::text::int8")
        case "numeric":
            return _numeric(name, modifier)
        case "date":
            fits = f"{name} BETWEEN '{_FIRST_DAY}' AND '{_LAST_DAY}'"
            return _fitting("date", name, fits, CursorKind.DATE, "{}::date")
        case "timestamp":
            zone = quote_literal(timezone)
            at_zone = f"({name} AT TIME ZONE {zone})"
            bound = f"({{}}::timestamptz AT TIME ZONE {zone})"
            return _fitting("timestamp", at_zone, _in_range(at_zone), CursorKind.MOMENT, bound)
        case "timestamptz":
            return _fitting("timestamp", name, _in_range(name), CursorKind.MOMENT, "{}::timestamptz")
        case "inet" | "cidr":  # their cast to text adds a netmask that the value does not show
            return ReadAs("string", f"CASE WHEN {name} IS NOT NULL THEN format('%s', {name}) END")
        case _:
            return ReadAs("string", f"{name}::text")


def _in_range(expression: str) -> str:
    return f"{expression} >= '{_FIRST_DAY} 00:00:00+00' AND {expression} < '{_AFTER} 00:00:00+00'"


def _fitting(
    lake_type: str, expression: str, fits: str, cursor: CursorKind | None = None, as_bound: str = "{}"
) -> ReadAs:
    return ReadAs(lake_type, f"CASE WHEN {fits} THEN {expression} END", fits, cursor, as_bound)


def _numeric(name: str, modifier: int) -> ReadAs:
    """A numeric of declared precision is a decimal; one without, or too wide for Spark, is text."""
    if modifier < 0:
        return ReadAs("string", f"{name}::text")
    precision = ((modifier - 4) >> 16) & 0xFFFF
    scale = (((modifier - 4) & 0x7FF) ^ 1024) - 1024
    if scale < 0:  # numeric(5, -2): whole hundreds of up to seven digits
        precision, scale = precision - scale, 0
    precision = max(precision, scale)
    if precision > _LARGEST_PRECISION:
        return ReadAs("string", f"{name}::text")
    return _fitting(f"decimal({precision},{scale})", name, f"{name} <> 'NaN'")
