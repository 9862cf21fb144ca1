"""PostgreSQL into raw and silver: nothing missed, nothing twice, nothing lost in silence."""

import threading
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from pydantic import SecretStr

from lakehouse.errors import ExitCode
from lakehouse.orchestrate.runs import Status, TableRun
from lakehouse.paths import TableName
from lakehouse.sources.postgres.settings import Settings as PostgresSource
from tests.conftest import TestLake
from tests.integration.endpoints import PostgresEndpoint
from tests.integration.loads import run
from tests.integration.postgres_tables import Query, source, table


def failed(lake: TestLake, name: str, **options: Any) -> TableRun:
    done = lake.run(f"raw.{name}", f"silver.{name}", **options)
    assert done[f"silver.{name}"].status is Status.SKIPPED
    assert done[f"raw.{name}"].status is Status.FAILED
    return done[f"raw.{name}"]


INCREMENTAL = "cursor: updated_at\n"
CHANGING = "(id int PRIMARY KEY, name text, updated_at timestamptz DEFAULT now())"


def test_changes_and_deletes_travel_and_silver_equals_a_full_reload(lake: TestLake, schema: str, query: Query) -> None:
    query(f"CREATE TABLE {schema}.a {CHANGING}")
    query(f"INSERT INTO {schema}.a SELECT g, 'n' || g FROM generate_series(1, 50) g")
    name = table(lake, schema, "a", INCREMENTAL)
    assert run(lake, name).rows_read == 50
    query(f"UPDATE {schema}.a SET name = 'changed', updated_at = now() WHERE id <= 3")
    query(f"DELETE FROM {schema}.a WHERE id IN (10, 11)")
    query(f"INSERT INTO {schema}.a VALUES (60, 'new')")
    second = run(lake, name)
    assert second.tombstones == 2
    expected = query(f"SELECT id, name FROM {schema}.a ORDER BY id")
    assert lake.rows(f"silver.{name}", "id, name") == expected
    run(lake, name, full_refresh=True)
    assert lake.rows(f"silver.{name}", "id, name") == expected


def test_a_run_without_changes_reads_and_commits_nothing(lake: TestLake, schema: str, query: Query) -> None:
    query(f"CREATE TABLE {schema}.a {CHANGING}")
    query(f"INSERT INTO {schema}.a SELECT g, 'n' FROM generate_series(1, 5) g")
    name = table(lake, schema, "a", INCREMENTAL)
    run(lake, name)
    again = lake.run(f"raw.{name}", f"silver.{name}")
    assert {done.status for done in again.values()} == {Status.UNCHANGED}


@pytest.mark.parametrize("cursor", ["updated_at timestamptz DEFAULT now()", "updated_at timestamp DEFAULT now()",
                                    "updated_at bigserial"])  # fmt: skip
def test_a_transaction_that_commits_late_is_not_missed(
    lake: TestLake, schema: str, query: Query, app_database: PostgresEndpoint, cursor: str
) -> None:
    query(f"CREATE TABLE {schema}.a (id int PRIMARY KEY, {cursor})")
    name = table(lake, schema, "a", INCREMENTAL + "deletes: {detect: never}\n")
    query(f"INSERT INTO {schema}.a (id) VALUES (0)")
    run(lake, name)
    with closing(app_database.connect()) as late:
        late.autocommit = False
        late.cursor().execute(f"INSERT INTO {schema}.a (id) VALUES (1)")
        query("SELECT pg_sleep(1.2)")
        query(f"INSERT INTO {schema}.a (id) VALUES (2)")
        run(lake, name)
        assert lake.rows(f"silver.{name}", "id") == [(0,), (2,)]
        late.commit()
    run(lake, name)
    assert lake.rows(f"silver.{name}", "id") == [(0,), (1,), (2,)]


def test_a_prepared_transaction_is_not_missed(lake: TestLake, schema: str, query: Query) -> None:
    query(f"CREATE TABLE {schema}.a {CHANGING}")
    query(f"INSERT INTO {schema}.a VALUES (0, 'before')")
    name = table(lake, schema, "a", INCREMENTAL + "deletes: {detect: never}\n")
    run(lake, name)
    query(f"BEGIN; INSERT INTO {schema}.a VALUES (1, 'prepared'); PREPARE TRANSACTION '{schema}'")
    try:
        query("SELECT pg_sleep(1.2)")
        query(f"INSERT INTO {schema}.a VALUES (2, 'after')")
        done = run(lake, name)
        assert any(schema in note for note in done.notes)
    finally:
        query(f"COMMIT PREPARED '{schema}'")
    run(lake, name)
    assert lake.rows(f"silver.{name}", "id") == [(0,), (1,), (2,)]


def test_rows_stamped_behind_the_watermark_are_found_when_keys_are_compared(
    lake: TestLake, schema: str, query: Query
) -> None:
    query(f"CREATE TABLE {schema}.a {CHANGING}")
    query(f"INSERT INTO {schema}.a VALUES (1, 'now')")
    name = table(lake, schema, "a", INCREMENTAL)
    run(lake, name)
    query(f"INSERT INTO {schema}.a VALUES (2, 'backdated', '2001-01-01')")
    done = run(lake, name)
    assert any("behind the watermark" in note for note in done.notes)
    assert lake.rows(f"silver.{name}", "id") == [(1,), (2,)]


def test_all_parts_of_a_read_see_one_moment_while_a_writer_works(
    lake: TestLake, schema: str, query: Query, app_database: PostgresEndpoint
) -> None:
    """Two tables that a writer keeps equal must be read equal, whatever it does meanwhile."""
    for one in "ab":
        query(f"CREATE TABLE {schema}.{one} (id int PRIMARY KEY, value int, filler text)")
        query(f"INSERT INTO {schema}.{one} SELECT g, 0, repeat('x', 400) FROM generate_series(1, 20000) g")
    names = [table(lake, schema, one) for one in "ab"]
    stop = threading.Event()

    def write() -> None:
        with closing(app_database.connect()) as connection:
            connection.autocommit = False
            while not stop.is_set():
                for one in "ab":
                    connection.cursor().execute(f"UPDATE {schema}.{one} SET value = value + 1 WHERE id % 100 = 0")
                connection.commit()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        lake.run(*(f"raw.{name}" for name in names))
    finally:
        stop.set()
        writer.join()
    sums = [lake.rows(f"raw.{name}", "sum(value), count(*), count(DISTINCT id)") for name in names]
    assert sums[0] == sums[1]
    assert sums[0][0][1:] == (20000, 20000)


def test_half_of_the_rows_gone_stops_the_table_until_a_person_confirms(
    lake: TestLake, schema: str, query: Query
) -> None:
    query(f"CREATE TABLE {schema}.a {CHANGING}")
    query(f"INSERT INTO {schema}.a SELECT g, 'n' FROM generate_series(1, 10) g")
    name = table(lake, schema, "a", INCREMENTAL)
    run(lake, name)
    query(f"DELETE FROM {schema}.a WHERE id > 5")
    done = failed(lake, name)
    assert "5 of 10 rows are gone" in str(done.error)
    assert f"--accept-deletes {name}" in str(done.error)
    assert done.exit_code == ExitCode.DATA_FAILURE
    assert len(lake.rows(f"silver.{name}")) == 10
    run(lake, name, accept_deletes=frozenset({name}))
    assert len(lake.rows(f"silver.{name}")) == 5


@pytest.mark.parametrize("more", [INCREMENTAL, ""])
def test_a_source_that_is_suddenly_empty_stops_the_table(lake: TestLake, schema: str, query: Query, more: str) -> None:
    query(f"CREATE TABLE {schema}.a {CHANGING}")
    query(f"INSERT INTO {schema}.a VALUES (1, 'n')")
    name = table(lake, schema, "a", more + "deletes: {max_share: 1}\n")
    run(lake, name)
    query(f"TRUNCATE {schema}.a")
    assert "the source shows no row at all" in str(failed(lake, name).error)
    assert len(lake.rows(f"silver.{name}")) == 1


def test_an_empty_table_makes_empty_tables(lake: TestLake, schema: str, query: Query) -> None:
    query(f"CREATE TABLE {schema}.a {CHANGING}")
    name = table(lake, schema, "a", INCREMENTAL)
    assert run(lake, name).rows_read == 0
    query(f"INSERT INTO {schema}.a VALUES (1, 'first', '1999-01-01')")
    run(lake, name)
    assert lake.rows(f"silver.{name}", "id") == [(1,)]


def test_a_table_without_a_key_loads_in_full_and_keeps_alike_rows(lake: TestLake, schema: str, query: Query) -> None:
    query(f"CREATE TABLE {schema}.a (what text)")
    query(f"INSERT INTO {schema}.a VALUES ('x'), ('x'), ('y')")
    name = table(lake, schema, "a")
    run(lake, name)
    query(f"DELETE FROM {schema}.a WHERE what = 'y'")
    query(f"INSERT INTO {schema}.a VALUES ('z')")
    run(lake, name)
    assert lake.rows(f"silver.{name}", "what") == [("x",), ("x",), ("z",)]


def test_an_incremental_table_without_a_key_is_refused(lake: TestLake, schema: str, query: Query) -> None:
    query(f"CREATE TABLE {schema}.a (what text, updated_at timestamptz)")
    assert "neither the registry nor" in str(failed(lake, table(lake, schema, "a", INCREMENTAL)).error)


def test_duplicate_keys_under_full_load_are_rejected_with_their_reason(
    lake: TestLake, schema: str, query: Query
) -> None:
    query(f"CREATE TABLE {schema}.a (id int, what text)")
    query(f"INSERT INTO {schema}.a VALUES (1, 'x'), (1, 'y'), (2, 'z'), (2, 'z')")
    name = table(lake, schema, "a", "key: [id]\n")
    run(lake, name)
    assert [row[0] for row in lake.rows(f"silver.{name}", "id")] == [1, 2]
    assert lake.rows(f"quarantine.{name}", "key, rule") == [('{"id":1}', "duplicate_key")]


def test_rows_whose_cursor_is_null_are_read_and_their_changes_seen(lake: TestLake, schema: str, query: Query) -> None:
    query(f"CREATE TABLE {schema}.a {CHANGING}")
    query(f"INSERT INTO {schema}.a VALUES (1, 'a', NULL), (2, 'b', now())")
    name = table(lake, schema, "a", INCREMENTAL)
    run(lake, name)
    query(f"UPDATE {schema}.a SET name = 'changed' WHERE id = 1")
    run(lake, name)
    assert lake.rows(f"silver.{name}", "id, name") == [(1, "changed"), (2, "b")]


def test_a_rejected_row_leaves_quarantine_when_a_later_version_passes(
    lake: TestLake, schema: str, query: Query
) -> None:
    query(f"CREATE TABLE {schema}.a {CHANGING}")
    query(f"INSERT INTO {schema}.a VALUES (1, 'bad'), (2, 'good'), (3, 'good')")
    name = table(lake, schema, "a", INCREMENTAL + "checks: [{name: no_bad, expect: \"name <> 'bad'\"}]\n")
    run(lake, name)
    rejected = lake.rows(f"quarantine.{name}", "key, rule, reason, row")
    assert rejected[0][:3] == ('{"id":1}', "no_bad", "expected: name <> 'bad'")
    assert '"name":"bad"' in rejected[0][3]
    query(f"UPDATE {schema}.a SET name = CASE id WHEN 1 THEN 'good' ELSE 'bad' END, updated_at = now() WHERE id < 3")
    run(lake, name)
    assert lake.rows(f"silver.{name}", "id") == [(1,), (3,)]
    assert lake.rows(f"quarantine.{name}", "key") == [('{"id":2}',)]


TYPES = {
    "v_int2": ("smallint", "int", "7", 7), "v_int8": ("bigint", "bigint", "9223372036854775807", 2**63 - 1),
    "v_bool": ("boolean", "boolean", "true", True), "v_float": ("double precision", "double", "'NaN'", "NaN"),
    "v_num": ("numeric(10,2)", "decimal(10,2)", "12.50", "12.50"), "v_any": ("numeric", "string", "1e-30", None),
    "v_wide": ("numeric(60,20)", "string", "12345678901234567890123456789012345678.5", None),
    "v_neg": ("numeric(3,-2)", "decimal(5,0)", "12300", "12300"),
    "v_text": ("text", "string", "'größe ''q'' \"d\" 🎉'", "größe 'q' \"d\" 🎉"),
    "v_char": ("char(5)", "string", "'ab'", "ab   "),
    "v_uuid": ("uuid", "string", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", None),
    "v_json": ("jsonb", "string", """'{"a": [1, null]}'""", None), "v_arr": ("int[]", "string", "'{1,NULL,3}'", "{1,NULL,3}"),
    "v_range": ("int4range", "string", "'[1,5)'", "[1,5)"), "v_int": ("interval", "string", "'1 day 02:00'", "1 day 02:00:00"),
    "v_bytea": ("bytea", "binary", r"'\x00ff'", b"\x00\xff"), "v_inet": ("inet", "string", "'10.0.0.1'", "10.0.0.1"),
    "v_time": ("time", "string", "'10:11:12.5'", "10:11:12.5"), "v_date": ("date", "date", "'2026-02-03'", "2026-02-03"),
    "v_ts": ("timestamp", "timestamp", "'2026-02-03 04:05:06.123456'", "2026-02-03 04:05:06.123456"),
    "v_tz": ("timestamptz", "timestamp", "'2026-02-03 04:05:06+02'", "2026-02-03 02:05:06"),
    "v_bit": ("bit(3)", "string", "'101'", "101"), "v_lsn": ("pg_lsn", "string", "'16/B374D848'", None),
}  # fmt: skip


def test_every_type_arrives_without_loss(lake: TestLake, schema: str, query: Query) -> None:
    query(f"CREATE TYPE {schema}.mood AS ENUM ('sad', 'glad'); CREATE DOMAIN {schema}.price AS numeric(8,3);"
          f"CREATE TYPE {schema}.pair AS (a int, b text)")  # fmt: skip
    columns = ", ".join(f"{name} {kind}" for name, (kind, *_) in TYPES.items())
    query(f"CREATE TABLE {schema}.a (id int PRIMARY KEY, {columns}, v_enum {schema}.mood, v_domain {schema}.price,"
          f" v_pair {schema}.pair, v_gen int GENERATED ALWAYS AS (id * 2) STORED)")  # fmt: skip
    values = ", ".join(literal for _, _, literal, _ in TYPES.values())
    query(f"INSERT INTO {schema}.a VALUES (1, {values}, 'glad', 1.25, '(1,x)')")
    query(f"INSERT INTO {schema}.a (id) VALUES (2)")
    name = table(lake, schema, "a")
    run(lake, name)
    frame = lake.spark.sql(f"SELECT * FROM iceberg.silver.{name}")
    kinds = dict(frame.dtypes)
    assert {column: kinds[column] for column in TYPES} == {column: kind for column, (_, kind, *_) in TYPES.items()}
    assert kinds["v_domain"] == "decimal(8,3)"
    row = frame.selectExpr("*", *(f"CAST({c} AS string) AS {c}_text" for c in TYPES)).where("id = 1").first()
    assert row is not None
    for column, (kind, lake_type, _, expected) in TYPES.items():
        shown = query(f"SELECT {column}::text FROM {schema}.a WHERE id = 1")[0][0]
        found = row[column] if lake_type in {"binary", "boolean", "int", "bigint"} else row[f"{column}_text"]
        assert found == (shown if expected is None else expected), kind
    assert (row["v_enum"], row["v_pair"], row["v_gen"]) == ("glad", "(1,x)", 2)
    assert lake.rows(f"silver.{name}", "v_text, v_num, v_ts", "id = 2") == [(None, None, None)]


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [("timestamptz", "infinity", "infinity"), ("timestamp", "-infinity", "-infinity"), ("date", "infinity", "infinity"),
     ("timestamptz", "0044-03-15 00:00:00+00 BC", "BC"), ("date", "0044-03-15 BC", "BC"), ("numeric(8,2)", "NaN", "NaN"),
     ("timestamp", "20000-01-01", "20000-01-01")],
)  # fmt: skip
def test_a_value_that_the_lake_cannot_hold_is_rejected_and_kept_as_text(
    lake: TestLake, schema: str, query: Query, kind: str, value: str, shown: str
) -> None:
    query(f"CREATE TABLE {schema}.a (id int PRIMARY KEY, v {kind})")
    query(f"INSERT INTO {schema}.a VALUES (1, '{value}'), (2, NULL)")
    name = table(lake, schema, "a")
    run(lake, name)
    assert lake.rows(f"silver.{name}", "id") == [(2,)]
    rule, reason = lake.rows(f"quarantine.{name}", "rule, reason")[0]
    assert rule == "does_not_fit"
    assert shown in reason


def test_names_with_quotes_spaces_upper_case_and_unicode(lake: TestLake, schema: str, query: Query) -> None:
    query(
        f'CREATE TABLE {schema}."Odd ""Näme""" ("Order ID" int PRIMARY KEY, "größe" text, "a""b" int, "A B" int, a_b int)'
    )
    query(f'INSERT INTO {schema}."Odd ""Näme""" VALUES (1, \'x\', 2, 3, 4)')
    lake.register(f"{schema}_odd", f'source: {{connection: app, relation: \'{schema}."Odd ""Näme"""\'}}\n')
    run(lake, f"{schema}_odd")
    assert lake.rows(f"silver.{schema}_odd", "order_id, `größe`, a_b_2, a_b_3, a_b") == [(1, "x", 2, 3, 4)]


def test_source_schema_changes_that_lose_nothing_flow_through(lake: TestLake, schema: str, query: Query) -> None:
    query(f"CREATE TABLE {schema}.a (id int PRIMARY KEY, n int, s int, updated_at timestamptz DEFAULT now())")
    query(f"INSERT INTO {schema}.a VALUES (1, 1, 1)")
    name = table(lake, schema, "a", INCREMENTAL)
    run(lake, name)
    query(f"ALTER TABLE {schema}.a ADD COLUMN extra text DEFAULT 'd', ALTER COLUMN n TYPE bigint,"
          " ALTER COLUMN s TYPE smallint")  # fmt: skip
    query(f"INSERT INTO {schema}.a VALUES (2, 5000000000, 2)")
    done = run(lake, name)
    assert {"new column extra (string)", "column n widened to bigint"} <= set(done.notes)
    assert lake.rows(f"silver.{name}", "id, n, s, extra") == [(1, 1, 1, "d"), (2, 5000000000, 2, "d")]


def test_a_dropped_column_stops_the_table_and_the_others_go_on(lake: TestLake, schema: str, query: Query) -> None:
    for one in "ab":
        query(f"CREATE TABLE {schema}.{one} (id int PRIMARY KEY, name text)")
        query(f"INSERT INTO {schema}.{one} VALUES (1, 'x')")
    first, second = table(lake, schema, "a"), table(lake, schema, "b")
    lake.run(f"raw.{first}", f"raw.{second}")
    query(f"ALTER TABLE {schema}.a RENAME COLUMN name TO title")
    query(f"INSERT INTO {schema}.b VALUES (2, 'y')")
    done = lake.run(f"raw.{first}", f"raw.{second}")
    assert done[f"raw.{second}"].status is Status.SUCCEEDED
    message = str(done[f"raw.{first}"].error)
    assert "column 'name' (string) is gone" in message
    assert "A new column of the same type is there: 'title'" in message
    table(lake, schema, "a", "columns: {name: {source: title}}\n")
    run(lake, first)
    assert lake.rows(f"silver.{first}") == [(1, "x")]


@pytest.mark.parametrize(
    ("options", "expected", "code"),
    [({"port": 1}, "does not answer", ExitCode.SYSTEM_FAILURE),
     ({"password": "wrong-secret"}, "wrong credentials for user 'lakehouse'", ExitCode.DATA_FAILURE),
     ({"database": "nowhere"}, "there is no such database", ExitCode.DATA_FAILURE)],
)  # fmt: skip
def test_a_source_that_cannot_be_reached_says_why_without_the_secret(
    make_lake: Callable[[], TestLake], app_database: PostgresEndpoint, monkeypatch: pytest.MonkeyPatch,
    options: dict[str, Any], expected: str, code: ExitCode,
) -> None:  # fmt: skip
    monkeypatch.setattr("lakehouse.orchestrate.schedule.FIRST_WAIT_S", 0.01)
    lake = make_lake().with_source("app", source(app_database, **options))
    done = failed(lake, table(lake, "unreachable", f"t{code}"))
    assert expected in str(done.error)
    assert "wrong-secret" not in str(done.error)
    assert app_database.reader_password not in str(done.error)
    assert done.exit_code == code


def test_a_relation_or_column_that_is_not_there_is_named_with_the_likely_one(
    lake: TestLake, schema: str, query: Query
) -> None:
    query(f"CREATE TABLE {schema}.people (id int PRIMARY KEY, updated_at timestamptz)")
    message = str(failed(lake, table(lake, schema, "poeple")).error)
    assert f"relation '{schema}.poeple' is not there. Did you mean '{schema}.people'" in message
    message = str(failed(lake, table(lake, schema, "people", "cursor: updated\n")).error)
    assert "has no column 'updated'. Did you mean 'updated_at'?" in message


def test_a_role_that_may_not_see_transactions_is_warned_about(
    make_lake: Callable[[], TestLake], schema: str, query: Query, app_database: PostgresEndpoint,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    query(f"CREATE ROLE {schema} LOGIN PASSWORD 'limited-password'; GRANT USAGE ON SCHEMA {schema} TO {schema}")
    query(f"CREATE TABLE {schema}.a {CHANGING}")
    query(f"GRANT SELECT ON {schema}.a TO {schema}")
    try:
        lake = make_lake().with_source("app", source(app_database, user=schema, password="limited-password"))
        run(lake, table(lake, schema, "a", INCREMENTAL))
        found = capsys.readouterr()
        assert "late commits may be missed" in found.out + found.err
        assert f"GRANT pg_read_all_stats TO {schema}" in found.out + found.err
    finally:
        query(f"DROP OWNED BY {schema}; DROP ROLE {schema}")


def test_columns_that_are_excluded_never_leave_the_source(lake: TestLake, schema: str, query: Query) -> None:
    query(f"CREATE TABLE {schema}.a (id int PRIMARY KEY, secret text)")
    query(f"INSERT INTO {schema}.a VALUES (1, 'hidden')")
    name = table(lake, schema, "a", "columns: {secret: {pii: exclude}}\n")
    run(lake, name)
    assert "secret" not in lake.spark.table(f"iceberg.raw.{name}").columns
    assert "secret" not in lake.spark.table(f"iceberg.silver.{name}").columns


def test_a_range_of_days_is_read_again_and_the_watermark_stays(lake: TestLake, schema: str, query: Query) -> None:
    from datetime import UTC, datetime

    from lakehouse.raw.request import Window

    query(f"CREATE TABLE {schema}.a {CHANGING}")
    query(
        f"INSERT INTO {schema}.a SELECT g, 'n', timestamptz '2026-01-01' + g * interval '1 day' FROM generate_series(0, 9) g"
    )
    name = table(lake, schema, "a", INCREMENTAL)
    run(lake, name)
    query(f"UPDATE {schema}.a SET name = 'silently changed' WHERE id = 3")
    window = Window(datetime(2026, 1, 3, tzinfo=UTC), datetime(2026, 1, 5, tzinfo=UTC))
    assert run(lake, name, window=window).rows_read == 2
    assert lake.rows(f"silver.{name}", "name", "id = 3") == [("silently changed",)]


def test_a_connection_that_breaks_is_tried_again(
    lake: TestLake, schema: str, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first session that reads is ended by the server; the second attempt succeeds."""
    from lakehouse.sources.postgres.part import PostgresPart

    query(f"CREATE TABLE {schema}.a {CHANGING}")
    query(f"INSERT INTO {schema}.a VALUES (1, 'n')")
    genuine, calls = PostgresPart.batches, []

    def broken_once(part: Any) -> Any:
        calls.append(part)
        if len(calls) == 1:
            query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'lakehouse'")
        return genuine(part)

    monkeypatch.setattr(PostgresPart, "batches", broken_once)
    done = run(lake, table(lake, schema, "a"))
    assert done.attempts == 2
    assert len(calls) == 2


def test_an_error_of_the_driver_is_not_swallowed() -> None:
    from lakehouse.sources.postgres.connection import translated

    source = PostgresSource(type="postgres", host="h", database="d", user="u", password=SecretStr("p"))
    with pytest.raises(ZeroDivisionError), translated("app", source):
        raise ZeroDivisionError


def test_a_crash_between_the_files_and_the_commit_leaves_neither(
    lake: TestLake, schema: str, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The data files are written and the process dies before the commit: the next run brings each row once."""
    from lakehouse.iceberg.writing import Writing

    query(f"CREATE TABLE {schema}.a {CHANGING}")
    query(f"INSERT INTO {schema}.a SELECT g, 'n' FROM generate_series(1, 20) g")
    name = table(lake, schema, "a", INCREMENTAL)
    genuine = Writing.commit

    def killed(*_: Any) -> int:
        raise SystemExit("killed")

    monkeypatch.setattr(Writing, "commit", killed)
    assert lake.run(f"raw.{name}")[f"raw.{name}"].status is Status.FAILED
    monkeypatch.setattr(Writing, "commit", genuine)
    assert lake.catalog.find(TableName.parse(f"raw.{name}")) is None
    run(lake, name)
    assert lake.rows(f"raw.{name}", "count(*), count(DISTINCT id)") == [(20, 20)]
