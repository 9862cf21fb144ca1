"""`lakehouse new` on a real PostgreSQL."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from lakehouse.cli.main import app
from lakehouse.registry import loader
from tests.integration.endpoints import PostgresEndpoint
from tests.integration.postgres_tables import Query

PROFILE = """
catalog: {{type: jdbc, uri: 'jdbc:sqlite:${{home}}/none.db'}}
analytics: ${{home}}/analytics.duckdb
lock: {{type: file, path: '${{home}}/run.lock'}}
sources:
  app: {{type: postgres, host: {0.host}, port: {0.port}, database: {0.database}, user: {0.reader},
        password: {0.reader_password}}}
"""


@pytest.fixture
def root(app_database: PostgresEndpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a project with the source `app` and an empty registry."""
    for name in ("LAKEHOUSE_HOME", "LAKEHOUSE_REGISTRY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(tmp_path))
    monkeypatch.setenv("LAKEHOUSE_PROFILE", "own")
    for folder in ("conf", "registry"):
        (tmp_path / folder).mkdir()
    (tmp_path / "conf" / "own.yml").write_text(PROFILE.format(app_database))
    return tmp_path


def test_a_whole_schema_is_registered(root: Path, schema: str, query: Query) -> None:
    query(f'CREATE TABLE {schema}."Order Items" (id int PRIMARY KEY, last_update timestamptz)')
    query(f"CREATE TABLE {schema}.logs (id int, day date) PARTITION BY RANGE (day)")
    query(f"CREATE TABLE {schema}.logs_1 PARTITION OF {schema}.logs FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')")
    query(f"CREATE VIEW {schema}.recent AS SELECT * FROM {schema}.logs")
    query(f"CREATE TABLE {schema}.tmp_1 (id int)")
    query(f"CREATE TABLE {schema}.empty ()")
    done = CliRunner().invoke(app, ["new", "--source", "app", "--schema", schema, "--except", "tmp_*"])
    assert done.exit_code == 0, done.output
    assert f"left alone: {schema}.empty: " in done.stderr
    tables = loader.load(root / "registry").tables
    assert {name: table.source.relation for name, table in tables.items()} == {
        "logs": f"{schema}.logs",
        "order_items": f'{schema}."Order Items"',
        "recent": f"{schema}.recent",
    }
    assert (tables["order_items"].key, tables["order_items"].cursor) == (("id",), "last_update")


def test_a_schema_that_is_not_there_is_named(root: Path, schema: str, query: Query) -> None:
    query(f"CREATE TABLE {schema}.coupons (id int)")
    done = CliRunner().invoke(app, ["new", "--source", "app", "--schema", f"{schema}x"])
    assert (done.exit_code, f"Did you mean '{schema}'?" in done.stderr) == (2, True), done.output
