"""How PostgreSQL's types come into the lake."""

import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.sources.postgres.types import read_as
from lakehouse.sources.relation import CursorKind

UTC = "UTC"


@pytest.mark.parametrize(
    ("base", "lake"),
    [
        ("bool", "boolean"),
        ("int2", "int"),
        ("int4", "int"),
        ("int8", "bigint"),
        ("float4", "float"),
        ("float8", "double"),
        ("text", "string"),
        ("varchar", "string"),
        ("bpchar", "string"),
        ("bytea", "binary"),
        ("oid", "bigint"),
        ("xid", "bigint"),
        ("cid", "bigint"),
        ("date", "date"),
        ("timestamp", "timestamp"),
        ("timestamptz", "timestamp"),
        ("inet", "string"),
        ("cidr", "string"),
    ],
)
def test_a_type_that_spark_has_a_match_for_becomes_it(base: str, lake: str) -> None:
    assert read_as("c", base, -1, UTC).lake_type == lake


@pytest.mark.parametrize(
    "base",
    ["json", "jsonb", "uuid", "interval", "time", "timetz", "money", "xml", "_int4", "tsrange", "mood", "point", "bit"],
)
def test_a_type_without_a_match_arrives_as_the_text_that_postgresql_writes(base: str) -> None:
    read = read_as("c", base, -1, UTC)
    assert (read.lake_type, read.expression, read.fits) == ("string", '"c"::text', None)


def test_an_address_without_a_netmask_shows_none() -> None:
    """``inet::text`` adds /32; ``format`` writes the value as psql shows it."""
    assert "format('%s'" in read_as("c", "inet", -1, UTC).expression


@pytest.mark.parametrize(
    ("base", "kind"),
    [
        ("int2", CursorKind.INTEGER),
        ("int4", CursorKind.INTEGER),
        ("int8", CursorKind.INTEGER),
        ("date", CursorKind.DATE),
        ("timestamp", CursorKind.MOMENT),
        ("timestamptz", CursorKind.MOMENT),
    ],
)
def test_a_cursor_can_be_an_integer_a_date_or_a_moment(base: str, kind: CursorKind) -> None:
    read = read_as("c", base, -1, UTC)
    assert read.cursor is kind
    assert "{}::" in read.as_bound


@pytest.mark.parametrize("base", ["text", "bool", "float8", "bytea", "uuid", "numeric", "inet", "oid"])
def test_no_other_type_makes_a_cursor(base: str) -> None:
    assert read_as("c", base, -1, UTC).cursor is None


@pytest.mark.parametrize(
    ("base", "first", "after"),
    [
        ("date", "'0001-01-01'", "'9999-12-31'"),
        ("timestamp", "'0001-01-01 00:00:00+00'", "'10000-01-01 00:00:00+00'"),
        ("timestamptz", "'0001-01-01 00:00:00+00'", "'10000-01-01 00:00:00+00'"),
    ],
)
def test_a_time_that_the_lake_cannot_hold_is_null_and_does_not_fit(base: str, first: str, after: str) -> None:
    read = read_as("c", base, -1, UTC)
    assert read.fits is not None
    assert first in read.fits
    assert after in read.fits
    assert read.expression.startswith(f"CASE WHEN {read.fits} THEN ")


def test_a_timestamp_without_a_zone_is_read_in_that_of_its_source_bounds_too() -> None:
    read = read_as("c", "timestamp", -1, "Europe/Prague")
    assert "(\"c\" AT TIME ZONE 'Europe/Prague')" in read.expression
    assert read.as_bound == "({}::timestamptz AT TIME ZONE 'Europe/Prague')"


def test_a_hostile_name_of_a_column_or_a_zone_stays_a_name() -> None:
    read = read_as('a"; DROP TABLE t; --', "timestamp", -1, "x'; DROP TABLE t; --")
    assert "\"a\"\"; DROP TABLE t; --\" AT TIME ZONE 'x''; DROP TABLE t; --'" in read.expression


@given(precision=st.integers(1, 1000), scale=st.integers(-1000, 1000), unscaled=st.integers(min_value=0))
def test_a_numeric_becomes_a_decimal_that_holds_all_of_its_values_or_text(
    precision: int, scale: int, unscaled: int
) -> None:
    """``numeric(p, s)`` holds ``n * 10**-s`` with ``abs(n) < 10**p``; its modifier packs both numbers."""
    read = read_as("c", "numeric", ((precision << 16) | (scale & 0x7FF)) + 4, UTC)
    digits = re.fullmatch(r"decimal\((\d+),(\d+)\)", read.lake_type)
    if digits is None:
        assert read.lake_type == "string"
        assert max(precision - min(scale, 0), scale) > 38
        return
    p, s = int(digits[1]), int(digits[2])
    assert 1 <= p <= 38
    assert 0 <= s <= p
    held = Fraction(unscaled % 10**precision) * Fraction(10) ** (s - scale)  # in units of the decimal's last digit
    assert held.denominator == 1
    assert held < 10**p
    assert read.fits == "\"c\" <> 'NaN'"


def test_a_numeric_of_any_size_is_text() -> None:
    assert read_as("c", "numeric", -1, UTC).lake_type == "string"
