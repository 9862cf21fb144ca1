"""How a registry file names a relation of PostgreSQL."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.errors import SourceError
from lakehouse.sources.postgres.describe import parse_relation
from lakehouse.sources.postgres.quoting import quote_identifier

NAMES = st.text(min_size=1) | st.text('a". ', min_size=1)


@given(NAMES, NAMES)
def test_quoted_names_are_read_as_they_are_quoted(schema: str, name: str) -> None:
    assert parse_relation(f"{quote_identifier(schema)}.{quote_identifier(name)}") == (schema, name)
    assert parse_relation(quote_identifier(name)) == ("public", name)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("users", ("public", "users")),
        ("sales.orders", ("sales", "orders")),
        ('sales."Order Items"', ("sales", "Order Items")),
        ('"a.b"."c.d"', ("a.b", "c.d")),
    ],
)
def test_a_relation_is_in_public_where_no_schema_is_named(text: str, names: tuple[str, str]) -> None:
    assert parse_relation(text) == names


@pytest.mark.parametrize("text", ["", ".", "a.b.c", '"a', 'a"', '"a"."b"."c"', '""'])
def test_what_names_no_relation_is_refused_with_what_is_expected(text: str) -> None:
    with pytest.raises(SourceError, match=r"does not name a relation; expected schema\.relation, with double quotes"):
        parse_relation(text)
