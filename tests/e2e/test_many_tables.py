"""Forty small tables of a schema never seen before, by YAML alone: one Spark start, and DuckDB reads what the source has."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import duckdb

from lakehouse.publish.duckdb_access import load_extensions
from tests.conftest import ROOT
from tests.e2e.conftest import Sandbox
from tests.integration.endpoints import PostgresEndpoint

TABLES = 40
SCHEMA = "Mixed Case"


def test_forty_tables_start_spark_once_and_read_back_equal(
    make_sandbox: Callable[..., Sandbox], app_database: PostgresEndpoint, tmp_path: Path
) -> None:
    registry = tmp_path / "registry" / "unseen"
    registry.mkdir(parents=True)
    with app_database.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f'CREATE SCHEMA "{SCHEMA}"')
        for number in range(TABLES):
            name = f"Table {number}"
            cursor.execute(
                f'CREATE TABLE "{SCHEMA}"."{name}" ("TheId" int PRIMARY KEY, "Größe" numeric(10,3), tags text[],'
                " doc jsonb, span interval, at timestamptz, born date)"
            )
            cursor.execute(
                f"INSERT INTO \"{SCHEMA}\".\"{name}\" SELECT g, g * 1.125, ARRAY['a', g::text], jsonb_build_object('n', g),"
                " g * interval '1 hour', timestamptz '2026-01-01' + g * interval '1 day', date '1960-01-01' + g"
                f" FROM generate_series(1, {number + 1}) g"
            )
            relation = f'\'"{SCHEMA}"."{name}"\''
            (registry / f"t{number}.yml").write_text(f"source: {{connection: app_pg, relation: {relation}}}\n")
    sandbox = make_sandbox(LAKEHOUSE_REGISTRY=str(registry.parent))
    events = sandbox.pipeline("--domains", "unseen")
    assert [event["event"] for event in events].count("run_started") == 1
    assert {event["status"] for event in sandbox.tables().values()} == {"succeeded"}
    columns = '"TheId", "Größe"::text, tags::text, doc::text, span::text, "at", born'
    with app_database.connect() as connection, connection.cursor() as cursor, duckdb.connect() as lake:
        load_extensions(lake, "avro", "iceberg")
        for number in range(TABLES):
            cursor.execute(f'SELECT {columns} FROM "{SCHEMA}"."Table {number}" ORDER BY 1')
            files = f"{sandbox.home}/warehouse/silver/t{number}/data/*.parquet"
            found = lake.execute(
                f'SELECT "TheId", "Größe"::text, tags, doc, span, "at", born FROM read_parquet(\'{files}\') ORDER BY 1'
            ).fetchall()
            assert found == cursor.fetchall()


def test_a_scaffolded_table_runs_as_it_is(
    make_sandbox: Callable[..., Sandbox], app_database: PostgresEndpoint, tmp_path: Path
) -> None:
    with app_database.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE vouchers (id int PRIMARY KEY, code text, updated_at timestamptz DEFAULT now())")
        cursor.execute("INSERT INTO vouchers VALUES (1, 'A'), (2, 'B')")
    registry = tmp_path / "registry"
    registry.mkdir()
    sandbox = make_sandbox(LAKEHOUSE_REGISTRY=str(registry))
    scaffold = [str(ROOT / ".venv" / "bin" / "lakehouse"), "new", "vouchers", "--source", "app_pg", "--relation"]
    wrong = subprocess.run(
        [*scaffold, "public.voucher"], env=sandbox.env, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (wrong.returncode, "Did you mean 'public.vouchers'?" in " ".join(wrong.stderr.split())) == (1, True), (
        wrong.stderr
    )
    subprocess.run([*scaffold, "public.vouchers"], env=sandbox.env | {"COLUMNS": "200"}, cwd=ROOT, check=True)
    sandbox.pipeline("--tables", "vouchers")
    assert sandbox.tables()["silver.vouchers"]["merged"] == 2
    assert os.listdir(registry / "main") == ["vouchers.yml"]  # noqa: PTH208
