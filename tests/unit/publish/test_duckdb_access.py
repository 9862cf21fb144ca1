"""Access to the object store: every value is escaped, and no error shows a secret."""

import duckdb
import pytest

from lakehouse.errors import SystemFailureError
from lakehouse.publish.duckdb_access import execute_hidden, give_access, object_store_secret

SECRET = 'it\'s a "secret"'
CATALOG = {
    "s3.access-key-id": "key's id",
    "s3.secret-access-key": SECRET,
    "s3.endpoint": "http://own's.example:9000",
    "s3.path-style-access": "true",
    "client.region": "here's",
}


def test_each_value_of_the_object_store_arrives_as_it_is() -> None:
    with duckdb.connect() as connection:
        give_access(connection, CATALOG)
        held = connection.execute("SELECT secret_string FROM duckdb_secrets()").fetchall()
    assert len(held) == 1
    for part in ("key_id=key's id", "endpoint=own's.example:9000", "region=here's", "url_style=path", "use_ssl=false"):
        assert part in held[0][0]


def test_a_local_warehouse_needs_no_access() -> None:
    assert object_store_secret({"type": "jdbc", "warehouse": "/somewhere"}) is None


@pytest.mark.parametrize(
    "statement",
    [
        f"CREATE SECRET x (TYPE s3, SECRET '{SECRET}')",
        'SELECT * FROM "it\'s a ""secret"""',
        "SELECT CAST('it''s a \"secret\"' AS INTEGER)",
        "SELECT error('it''s a \"secret\"')",
    ],
)
def test_no_error_shows_a_secret(statement: str) -> None:
    with duckdb.connect() as connection, pytest.raises(SystemFailureError, match="trying it: DuckDB failed") as caught:
        execute_hidden(connection, statement, "trying it", [SECRET])
    assert 'secret"' not in str(caught.value)
    assert "it's" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
