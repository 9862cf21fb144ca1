"""How a registry file names a relation of PostgreSQL."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.errors import SourceError
from lakehouse.sources.postgres.describe import PostgresRelation, parse_relation
from lakehouse.sources.postgres.types import quote_identifier, read_as
from lakehouse.sources.relation import SourceColumn, SourceRelation

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


def test_a_renamed_relation_reads_the_same_columns_under_their_new_names() -> None:
    columns = tuple(SourceColumn(name, name, "bigint", "bigint") for name in ("id", "n"))
    reads = {name: read_as(name, "int8", -1, "UTC") for name in ("id", "n")}
    table = PostgresRelation("t", SourceRelation("public.t", columns, ("id",)), reads, 1).renamed({"id": "key"})
    assert table.relation.key == ("key",)
    assert table.relation.column("key").source_name == "id"
    assert table.reads["key"].expression == '"id"'
    with pytest.raises(KeyError):
        table.relation.column("id")
