"""A schema of PostgreSQL, a way to run statements there, and a lake that ingests from it."""

from collections.abc import Callable, Iterator

import pytest

from tests.conftest import TestLake
from tests.integration.endpoints import PostgresEndpoint
from tests.integration.postgres_tables import Query, admin, source


@pytest.fixture
def schema(app_database: PostgresEndpoint, request: pytest.FixtureRequest) -> Iterator[str]:
    """A schema of the test's own, dropped at the end."""
    name = f"t{abs(hash(request.node.nodeid)) % 10**10}"
    with admin(app_database) as query:
        query(f"CREATE SCHEMA {name}")
    yield name
    with admin(app_database) as query:
        query(f"DROP SCHEMA {name} CASCADE")


@pytest.fixture
def query(app_database: PostgresEndpoint) -> Iterator[Query]:
    with admin(app_database) as run:
        yield run


@pytest.fixture
def lake(make_lake: Callable[[], TestLake], app_database: PostgresEndpoint) -> TestLake:
    return make_lake().with_source("app", source(app_database))
