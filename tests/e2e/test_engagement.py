"""The road end to end, by spark-submit: PostgreSQL and Cassandra to the analyst's DuckDB, held against the sources."""

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from lakehouse.settings import Profile
from scripts.demo_data.engagement import generator
from tests.conftest import ROOT
from tests.e2e.conftest import Sandbox
from tests.oracles.compare import differences
from tests.oracles.engagement import Sources

KEYS = {
    "users": ["id"], "groups": ["id"], "groups_users_user": ["groups_id", "users_id"], "activities": ["id"],
    "notification_states": ["id"], "user_purchases": ["user_id", "purchase_time", "purchase_id"],
    "group_messages": ["group_id", "created_at", "message_id"],
    "user_notifications": ["user_id", "notification_time", "notification_id"],
    "user_session_events": ["user_id", "event_time", "session_id"],
}  # fmt: skip


@pytest.fixture(scope="module")
def lake(make_sandbox: Callable[..., Sandbox], sources: tuple[Any, Any]) -> Sandbox:
    """A lake after its first run."""
    sandbox = make_sandbox()
    sandbox.pipeline()
    return sandbox


@pytest.fixture(scope="module")
def first_run(make_sandbox: Callable[..., Sandbox], sources: tuple[Any, Any]) -> dict[str, dict[str, Any]]:
    """What became of each table in a lake's first run, whatever other tests ran in theirs."""
    sandbox = make_sandbox()
    sandbox.pipeline("--layers", "raw,silver")
    return sandbox.tables()


def analytics(sandbox: Sandbox) -> Path:
    return sandbox.home / "analytics.duckdb"


def silver(sandbox: Sandbox, table: str) -> set[tuple[Any, ...]]:
    """The keys of a silver table, through its newest metadata, without Spark."""
    import sqlite3

    from lakehouse.publish.duckdb_access import load_extensions

    with sqlite3.connect(sandbox.home / "catalog.db") as catalog:
        found = catalog.execute("SELECT metadata_location FROM iceberg_tables WHERE table_namespace = 'silver'"
                                " AND table_name = ?", (table,)).fetchone()  # fmt: skip
    columns = ", ".join(f"epoch_ms({name})" if name.endswith(("_at", "_time")) else name for name in KEYS[table])
    with duckdb.connect() as connection:
        load_extensions(connection, "avro", "iceberg")
        rows = connection.execute(f"SELECT {columns} FROM iceberg_scan('{found[0].removeprefix('file:')}')").fetchall()
    assert len(rows) == len(set(rows)), f"keys of {table} are not unique"
    return set(rows)


def test_gold_equals_the_same_question_asked_of_the_sources(lake: Sandbox, oracle: Sources) -> None:
    assert differences(analytics(lake), oracle) == []


def test_silver_holds_just_the_keys_that_the_rules_let_pass(lake: Sandbox, oracle: Sources) -> None:
    for table, expected in oracle.expected_silver_keys().items():
        assert silver(lake, table) == expected, table


def test_the_books_of_every_table_balance(first_run: dict[str, dict[str, Any]]) -> None:
    for name, event in first_run.items():
        if name.startswith("silver."):
            assert event["rows_read"] == event["merged"] + event["superseded"] + event["rejected"], name
    assert first_run["silver.users"]["rejected"] > 0


def test_a_second_run_without_changes_changes_nothing(lake: Sandbox) -> None:
    before = analytics(lake).stat().st_ino
    lake.pipeline()
    assert {event["status"] for event in lake.tables().values()} == {"unchanged"}
    assert analytics(lake).stat().st_ino != before


def test_a_day_of_changes_is_applied_and_equals_a_full_reload(
    lake: Sandbox, oracle: Sources, sources: tuple[Any, Any], make_sandbox: Callable[..., Sandbox]
) -> None:
    generator.play_day(*sources, seed=11)
    lake.pipeline()
    assert differences(analytics(lake), oracle) == []
    for table, expected in oracle.expected_silver_keys().items():
        assert silver(lake, table) == expected, table
    assert "rebuilt whole" not in str(lake.tables()["gold.global_user_activity_per_day"]["notes"])
    fresh = make_sandbox()
    fresh.pipeline()
    for table in KEYS:
        assert silver(fresh, table) == silver(lake, table), table


def test_no_file_of_silver_or_gold_holds_an_original_e_mail_or_a_password(
    lake: Sandbox, sources: tuple[Any, Any]
) -> None:
    with sources[0].cursor() as cursor:
        cursor.execute("SELECT email, password FROM users WHERE email LIKE '%@%.%'")
        originals = {value.strip() for row in cursor.fetchall() for value in row}
    found = duckdb.sql(f"SELECT * FROM read_parquet('{lake.home}/warehouse/silver/users/data/**/*.parquet')").fetchall()
    assert not {str(value) for row in found for value in row} & originals
    raw = duckdb.sql(f"SELECT * FROM read_parquet('{lake.home}/warehouse/raw/users/data/*.parquet') LIMIT 1")
    assert "password" not in raw.columns


def test_a_run_that_is_killed_leaves_nothing_half_and_can_be_resumed(
    make_sandbox: Callable[..., Sandbox], oracle: Sources
) -> None:
    """Killed with its Spark in the middle of its work, whatever it was doing; then run again."""
    sandbox = make_sandbox()
    process = subprocess.Popen(
        sandbox.command(), env=sandbox.env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    ended = []
    for line in process.stdout:
        event = json.loads(line)
        if event["event"] == "table":
            ended.append(event["table"])
            if event["table"].startswith("silver."):
                break
    sandbox.kill(process)
    assert not analytics(sandbox).exists()
    sandbox.pipeline("--resume")
    statuses = {name: event["status"] for name, event in sandbox.tables().items()}
    assert {name: statuses[name] for name in ended} == dict.fromkeys(ended, "unchanged")
    assert differences(analytics(sandbox), oracle) == []


def test_two_runs_at_once_are_refused(lake: Sandbox) -> None:
    import fcntl

    with (lake.home / "run.lock.run").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        began = time.monotonic()
        events = lake.pipeline(code=4)
    assert "another run is under way" in events[-1]["message"]
    assert time.monotonic() - began < 10


def test_the_jobs_run_by_spark_submit_with_real_executors(lake: Sandbox, make_sandbox: Callable[..., Sandbox]) -> None:
    """Ingest and transform with `local-cluster`, the package shipped by --py-files."""
    from lakehouse.orchestrate.launch import package_zip

    sandbox = make_sandbox()
    archive = package_zip(Profile.model_construct(root=sandbox.home))
    cluster = ["--master", "local-cluster[2,1,1024]", "--py-files", str(archive), "--conf", "spark.executor.memory=1g"]
    out = sandbox.submit(*cluster, "jobs/ingest_table_to_iceberg.py", "--table", "users", "user_purchases")
    assert '"table": "raw.user_purchases", "status": "succeeded"' in out
    out = sandbox.submit(*cluster, "jobs/transform_table.py", "--table", "users", "user_purchases")
    assert '"table": "silver.users", "status": "succeeded"' in out
    for table in ("users", "user_purchases"):
        assert silver(sandbox, table) == silver(lake, table)


def test_the_compose_profile_runs_on_a_rest_catalog_and_object_store(
    make_sandbox: Callable[..., Sandbox], rest_catalog_service: Any, oracle: Sources
) -> None:
    sandbox = make_sandbox("compose")
    sandbox.pipeline()
    query = "SELECT count(*) FROM lake.gold.global_user_activity_per_day"
    out = subprocess.run([str(ROOT / ".venv/bin/lakehouse"), "sql", "--profile", "compose", "--attach", query],
                         env=sandbox.env, cwd=ROOT, capture_output=True, text=True, check=True).stdout  # fmt: skip
    assert str(len(oracle.expected_activity())) in out


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [(["--tables", "user"], "makes no table 'user'. Did you mean"), (["--layers", "bronze"], "there is no layer 'bronze'"),
     (["--from", "2026-01-01"], "--from and --to come together"), (["--profile", "nowhere"], "there is no profile 'nowhere'"),
     (["--from", "x", "--to", "y"], "expected days like 2026-10-31")],
)  # fmt: skip
def test_a_wrong_option_is_refused_before_anything_starts(lake: Sandbox, arguments: list[str], expected: str) -> None:
    assert expected in lake.pipeline(*arguments, code=2)[-1]["message"]


def test_a_missing_secret_is_named(make_sandbox: Callable[..., Sandbox], tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "embedded.yml").write_text((ROOT / "conf" / "embedded.yml").read_text())
    sandbox = make_sandbox(LAKEHOUSE_ROOT=str(tmp_path))
    sandbox.env.pop("APP_PG_PASSWORD", None)
    assert "APP_PG_PASSWORD (for sources.app_pg.password)" in sandbox.pipeline("--dry-run", code=2)[-1]["message"]


def test_isolated_tables_and_one_layer_can_be_run(
    make_sandbox: Callable[..., Sandbox], sources: tuple[Any, Any]
) -> None:
    sandbox = make_sandbox()
    sandbox.pipeline("--tables", "groups", "--layers", "raw,silver", "--isolate")
    assert [event["event"] for event in sandbox.events].count("run_started") == 3
    assert {name: event["status"] for name, event in sandbox.tables().items()} == {
        "raw.groups": "succeeded", "silver.groups": "succeeded"}  # fmt: skip
