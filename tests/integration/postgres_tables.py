"""Registering and running tables of the tests' PostgreSQL."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

from lakehouse.sources.postgres.settings import Settings as PostgresSource
from tests.conftest import TestLake
from tests.integration.endpoints import PostgresEndpoint

Query = Callable[..., list[Any]]


@contextmanager
def admin(endpoint: PostgresEndpoint) -> Iterator[Query]:
    """Runs statements as the administrator, each in a transaction of its own."""
    with closing(endpoint.connect()) as connection, connection.cursor() as cursor:

        def run(statement: str, *values: Any) -> list[Any]:
            cursor.execute(statement, values or None)
            return list(cursor.fetchall()) if cursor.description else []

        yield run


def source(endpoint: PostgresEndpoint, **options: Any) -> PostgresSource:
    values = {"type": "postgres", "host": endpoint.host, "port": endpoint.port, "database": endpoint.database,
              "user": endpoint.reader, "password": endpoint.reader_password, "timezone": "UTC", **options}  # fmt: skip
    return PostgresSource.model_validate(values)


def table(lake: TestLake, schema: str, name: str, more: str = "") -> str:
    """Register ``schema.name``; the lake's table is named after both, since the tests share a catalog."""
    unique = f"{schema}_{name}"
    lake.register(unique, f"source: {{connection: app, relation: '{schema}.{name}'}}\n{more}")
    return unique
