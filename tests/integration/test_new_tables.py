"""What `lakehouse new` finds in a real PostgreSQL."""

from collections.abc import Iterator

import pytest

from lakehouse.errors import SourceError
from lakehouse.scaffold.live import opened
from tests.integration.endpoints import PostgresEndpoint
from tests.integration.postgres_tables import Query, source


@pytest.fixture
def role(schema: str, query: Query) -> Iterator[str]:
    """A role that may read what it is granted, and no more; its password is its name."""
    name = f"reader_of_{schema}"
    query(f"CREATE ROLE {name} LOGIN PASSWORD '{name}'")
    query(f"GRANT USAGE ON SCHEMA {schema} TO {name}")
    yield name
    query(f"DROP OWNED BY {name}")
    query(f"DROP ROLE {name}")


def test_the_relations_of_a_schema_are_those_that_the_role_may_read(
    app_database: PostgresEndpoint, schema: str, query: Query, role: str
) -> None:
    query(f'CREATE TABLE {schema}."Order Items" (id int PRIMARY KEY, last_update timestamptz)')
    query(f"CREATE TABLE {schema}.logs (id int, day date) PARTITION BY RANGE (day)")
    query(f"CREATE TABLE {schema}.logs_1 PARTITION OF {schema}.logs FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')")
    query(f"CREATE VIEW {schema}.recent AS SELECT * FROM {schema}.logs")
    query(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}")
    query(f"CREATE TABLE {schema}.secrets (id int)")
    with opened("app", source(app_database, user=role, password=role)) as session:
        assert session.relations(schema) == [f'{schema}."Order Items"', f"{schema}.logs", f"{schema}.recent"]
        found = session.describe(f'{schema}."Order Items"')
        assert (found.key, [column.name for column in found.columns]) == (("id",), ["id", "last_update"])
        with pytest.raises(SourceError, match=f"schema '{schema}x' has no relation .* Did you mean '{schema}'"):
            session.relations(f"{schema}x")
