"""How PostgreSQL's types come into the lake, and how names and texts are put into its SQL."""

import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.sources.postgres.types import quote_identifier, quote_literal, read_as

UTC = "UTC"
#: PostgreSQL has no text that holds NUL.
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])) | st.text("'\"\\E; -/*\n%{}$")


def spoken(literal: str) -> str:
    """The text that a PostgreSQL literal stands for, by the rules of its manual (4.1.2.1, 4.1.2.2)."""
    escaping, body = (True, literal[2:-1]) if literal.startswith("E'") else (False, literal[1:-1])
    assert literal.endswith("'")
    found, position = [], 0
    while position < len(body):
        pair = body[position : position + 2]
        doubled = pair == "''" or (escaping and pair == "\\\\")
        assert doubled or body[position] != "'", f"{literal} ends before its end"
        assert doubled or not escaping or body[position] != "\\", f"{literal} holds an escape that is not meant"
        found.append(body[position])
        position += 2 if doubled else 1
    return "".join(found)


@given(TEXTS)
def test_a_literal_stands_for_its_text_and_ends_where_it_ends(text: str) -> None:
    literal = quote_literal(text)
    assert spoken(literal) == text
    assert literal.startswith("E'") or "\\" not in literal  # the same whatever standard_conforming_strings says


@given(TEXTS.filter(bool))
def test_an_identifier_is_its_name_between_quotes(name: str) -> None:
    quoted = quote_identifier(name)
    assert re.fullmatch(r'"(?:[^"]|"")*"', quoted)
    assert quoted[1:-1].replace('""', '"') == name


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


@pytest.mark.parametrize("base", ["int2", "int4", "int8", "date", "timestamp", "timestamptz"])
def test_a_cursor_can_be_an_integer_a_date_or_a_moment(base: str) -> None:
    bound = read_as("c", base, -1, UTC).as_bound
    assert bound is not None
    assert "{}::" in bound


@pytest.mark.parametrize("base", ["text", "bool", "float8", "bytea", "uuid", "numeric", "inet", "oid"])
def test_no_other_type_makes_a_cursor(base: str) -> None:
    assert read_as("c", base, -1, UTC).as_bound is None


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
