"""What decides which rows there are stands in the state: a change of any of it is seen, named, and leads to what is right."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from lakehouse.errors import ExitCode
from lakehouse.orchestrate.runs import Status
from lakehouse.paths import TableName
from lakehouse.raw.request import Window
from lakehouse.sources.postgres.part import PostgresPart
from tests.conftest import TestLake
from tests.integration.endpoints import PostgresEndpoint
from tests.integration.loads import run
from tests.integration.postgres_tables import Query, source, table

INCREMENTAL = "cursor: updated_at\nkey: [id]\n"
ROWS = "(id int PRIMARY KEY, v text, updated_at timestamptz DEFAULT now())"


@pytest.fixture
def people(lake: TestLake, schema: str, query: Query) -> str:
    """A table with three rows, loaded by its cursor."""
    query(f"CREATE TABLE {schema}.people {ROWS}")
    query(f"INSERT INTO {schema}.people SELECT g, 'n' || g, timestamptz '2026-01-01' + g * interval '1 day'"
          " FROM generate_series(1, 3) g")  # fmt: skip
    name = table(lake, schema, "people", INCREMENTAL)
    run(lake, name)
    return name


@pytest.fixture
def a_read_that_breaks_once(query: Query, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server ends the sessions that read when a part is read for the first time."""
    genuine, calls = PostgresPart.batches, []

    def broken_once(part: Any) -> Iterator[Any]:
        calls.append(part)
        if len(calls) == 1:
            query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'lakehouse'")
        return genuine(part)

    monkeypatch.setattr(PostgresPart, "batches", broken_once)


def test_a_new_column_is_filled_for_older_rows_though_the_load_that_finds_it_fails_once(
    lake: TestLake, schema: str, query: Query, people: str, a_read_that_breaks_once: None
) -> None:
    query(f"ALTER TABLE {schema}.people ADD email text DEFAULT 'x'")
    assert run(lake, people).attempts == 2
    assert lake.rows(f"silver.{people}", "email") == [("x",)] * 3


def test_a_new_column_is_filled_for_older_rows_though_the_brake_stops_the_load_that_finds_it(
    lake: TestLake, schema: str, query: Query, people: str
) -> None:
    query(f"ALTER TABLE {schema}.people ADD email text DEFAULT 'x'")
    query(f"DELETE FROM {schema}.people WHERE id > 1")
    assert "2 of 3 rows are gone" in str(lake.run(f"raw.{people}")[f"raw.{people}"].error)
    run(lake, people, accept_deletes=frozenset({people}))
    assert lake.rows(f"silver.{people}", "id, email") == [(1, "x")]


WINDOW = Window(datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 3, tzinfo=UTC))


def test_a_range_of_days_on_a_first_load_reads_everything(lake: TestLake, schema: str, query: Query) -> None:
    query(f"CREATE TABLE {schema}.a {ROWS}")
    query(f"INSERT INTO {schema}.a SELECT g, 'n', timestamptz '2026-01-01' + g * interval '1 day'"
          " FROM generate_series(0, 9) g")  # fmt: skip
    name = table(lake, schema, "a", INCREMENTAL + "deletes: {detect: never}\n")
    run(lake, name, window=WINDOW)
    run(lake, name)
    assert lake.rows(f"silver.{name}", "count(*)") == [(10,)]


def test_a_full_refresh_of_a_range_of_days_is_refused(lake: TestLake, people: str) -> None:
    done = lake.run(f"raw.{people}", full_refresh=True, window=WINDOW)[f"raw.{people}"]
    assert "would make the range the whole table" in str(done.error)
    assert done.exit_code == ExitCode.CONFIGURATION
    assert lake.rows(f"raw.{people}", "count(*)") == [(3,)]


def test_rows_without_a_key_leave_when_a_key_is_registered(lake: TestLake, schema: str, query: Query) -> None:
    query(f"CREATE TABLE {schema}.a (id int, v text)")
    query(f"INSERT INTO {schema}.a VALUES (1, 'x'), (1, 'x')")
    name = table(lake, schema, "a")
    run(lake, name)
    table(lake, schema, "a", "key: [id]\n")
    query(f"INSERT INTO {schema}.a VALUES (2, 'y')")
    notes = run(lake, name).notes
    assert notes == ("all rows are read: its key is (id) now, was none",)
    assert lake.rows(f"silver.{name}", "id, v") == [(1, "x"), (2, "y")]
    run(lake, name, full_refresh=True)
    assert lake.rows(f"silver.{name}", "id, v") == [(1, "x"), (2, "y")]


def test_a_registered_key_takes_effect_though_the_source_does_not_change(
    lake: TestLake, schema: str, query: Query
) -> None:
    query(f"CREATE TABLE {schema}.a (id int, v text)")
    query(f"INSERT INTO {schema}.a VALUES (1, 'x'), (1, 'x')")
    name = table(lake, schema, "a")
    run(lake, name)
    table(lake, schema, "a", "key: [id]\n")
    run(lake, name)
    assert lake.rows(f"silver.{name}", "id") == [(1,)]


@pytest.mark.parametrize(("before", "after"), [("[a, b]", "[a]"), ("[a]", "[a, b]")])
def test_a_coarser_and_a_finer_key_give_what_the_source_has(
    lake: TestLake, schema: str, query: Query, before: str, after: str
) -> None:
    query(f"CREATE TABLE {schema}.a (a int, b int, updated_at timestamptz DEFAULT now())")
    query(f"INSERT INTO {schema}.a VALUES (1, 1), (2, 1), (3, 1), (4, 1), (5, 1), (6, 1)")
    name = table(lake, schema, "a", f"cursor: updated_at\nkey: {before}\n")
    run(lake, name)
    query(f"DELETE FROM {schema}.a WHERE a = 6")
    run(lake, name)
    table(lake, schema, "a", f"cursor: updated_at\nkey: {after}\n")
    run(lake, name)
    run(lake, name)
    assert lake.rows(f"silver.{name}", "a, b") == [(number, 1) for number in range(1, 6)]


def test_a_table_with_history_stops_when_its_key_changes(lake: TestLake, schema: str, query: Query) -> None:
    query(f"CREATE TABLE {schema}.a (a int, b int, updated_at timestamptz DEFAULT now())")
    query(f"INSERT INTO {schema}.a VALUES (1, 1)")
    name = table(lake, schema, "a", "cursor: updated_at\nkey: [a]\nhistory: true\n")
    run(lake, name)
    table(lake, schema, "a", "cursor: updated_at\nkey: [a, b]\nhistory: true\n")
    done = lake.run(f"raw.{name}")[f"raw.{name}"]
    assert "its key is (a, b) now, was (a); a table with history keeps its key" in str(done.error)
    assert done.exit_code == ExitCode.DATA_FAILURE


def test_another_pseudonym_key_makes_all_pseudonyms_anew(lake: TestLake, schema: str, query: Query) -> None:
    query(f"CREATE TABLE {schema}.users (id int PRIMARY KEY, email text, updated_at timestamptz DEFAULT now())")
    query(f"INSERT INTO {schema}.users VALUES (1, 'a@x.org'), (2, 'a@x.org')")
    name = table(lake, schema, "users", INCREMENTAL + "columns: {email: {pii: pseudonymise}}\n")
    run(lake, name)
    lake.profile = lake.profile.model_copy(update={"pseudonym_key": SecretStr("another key for the tests")})
    query(f"UPDATE {schema}.users SET updated_at = now() WHERE id = 2")
    run(lake, name)
    assert lake.rows(f"silver.{name}", "count(DISTINCT email), count(*)") == [(1, 2)]


def test_another_pseudonym_key_doubles_no_row_whose_key_is_pseudonymised(
    lake: TestLake, schema: str, query: Query
) -> None:
    query(f"CREATE TABLE {schema}.users (email text PRIMARY KEY, v int, updated_at timestamptz DEFAULT now())")
    query(f"INSERT INTO {schema}.users VALUES ('a@x.org', 1), ('b@x.org', 1)")
    name = table(lake, schema, "users", "cursor: updated_at\nkey: [email]\ncolumns: {email: {pii: pseudonymise}}\n")
    run(lake, name)
    lake.profile = lake.profile.model_copy(update={"pseudonym_key": SecretStr("another key for the tests")})
    query(f"UPDATE {schema}.users SET v = 2, updated_at = now() WHERE email = 'a@x.org'")
    run(lake, name)
    assert lake.rows(f"silver.{name}", "v") == [(1,), (2,)]


def test_raw_without_its_state_stops_and_a_full_refresh_keeps_its_versions(
    lake: TestLake, schema: str, query: Query
) -> None:
    """Maintenance expired the snapshot that held the state; a table with history must not begin anew."""
    query(f"CREATE TABLE {schema}.a {ROWS}")
    query(f"INSERT INTO {schema}.a VALUES (1, 'first', '2026-01-01')")
    name = table(lake, schema, "a", INCREMENTAL + "history: true\n")
    targets = (f"raw.{name}", f"silver.{name}", f"silver.{name}_history")
    lake.run(*targets)
    query(f"UPDATE {schema}.a SET v = 'second', updated_at = '2026-01-02'")
    lake.run(*targets)
    held = lake.catalog.get(TableName.parse(f"raw.{name}"))
    held.append([], {})
    lake.spark.sql(f"CALL iceberg.system.expire_snapshots(table => 'raw.{name}', retain_last => 1,"
                   " older_than => TIMESTAMP '2100-01-01 00:00:00')")  # fmt: skip
    query(f"INSERT INTO {schema}.a VALUES (2, 'new', '2026-01-03')")
    stopped = lake.run(*targets)
    assert "raw holds 2 rows, and none of its snapshots says up to where the source was read" in str(
        stopped[f"raw.{name}"].error
    )
    assert {stopped[target].status for target in targets[1:]} == {Status.SKIPPED}
    found = lake.run(*targets, full_refresh=True)
    assert [done.error for done in found.values() if done.error] == []
    versions = lake.rows(f"silver.{name}_history", "id, v", order="id, valid_from")
    assert versions == [(1, "first"), (1, "second"), (2, "new")]


def test_a_corrected_zone_shifts_all_moments(lake: TestLake, schema: str, query: Query) -> None:
    query(f"CREATE TABLE {schema}.a (id int PRIMARY KEY, at timestamp, updated_at timestamptz DEFAULT now())")
    query(f"INSERT INTO {schema}.a VALUES (1, '2026-01-01 12:00'), (2, '2026-07-01 12:00')")
    name = table(lake, schema, "a", INCREMENTAL)
    run(lake, name)
    table(lake, schema, "a", INCREMENTAL + "timezone: Europe/Berlin\n")
    assert "its timezone is Europe/Berlin now, was UTC" in run(lake, name).notes[0]
    assert lake.rows(f"silver.{name}", "date_format(at, 'HH:mm')", order="id") == [("11:00",), ("10:00",)]


def test_a_corrected_cursor_brings_the_updates_that_the_other_missed(lake: TestLake, schema: str, query: Query) -> None:
    query(f"CREATE TABLE {schema}.a (id int PRIMARY KEY, v text, created_at timestamptz DEFAULT now(),"
          " updated_at timestamptz DEFAULT '2020-01-01')")  # fmt: skip
    query(f"INSERT INTO {schema}.a VALUES (1, 'old')")
    name = table(lake, schema, "a", "cursor: created_at\nkey: [id]\n")
    run(lake, name)
    query(f"UPDATE {schema}.a SET v = 'updated', updated_at = '2020-02-01'")
    run(lake, name)
    table(lake, schema, "a", INCREMENTAL)
    assert "its cursor is updated_at now, was created_at" in run(lake, name).notes[0]
    assert lake.rows(f"silver.{name}", "v") == [("updated",)]


def test_a_column_that_is_dropped_and_made_anew_is_read_anew(lake: TestLake, schema: str, query: Query) -> None:
    query(f"CREATE TABLE {schema}.a {ROWS}")
    query(f"INSERT INTO {schema}.a VALUES (1, 'old', '2026-01-01')")
    name = table(lake, schema, "a", INCREMENTAL)
    run(lake, name)
    query(f"ALTER TABLE {schema}.a DROP v; ALTER TABLE {schema}.a ADD v text DEFAULT 'new'")
    assert "column v was dropped at the source and made anew" in run(lake, name).notes[0]
    assert lake.rows(f"silver.{name}", "v") == [("new",)]


def test_a_type_that_reads_otherwise_is_read_anew(lake: TestLake, schema: str, query: Query) -> None:
    query(f"CREATE TABLE {schema}.a (id int PRIMARY KEY, at timestamp, updated_at timestamptz DEFAULT now())")
    query(f"INSERT INTO {schema}.a VALUES (1, '2026-01-01 12:00')")
    name = table(lake, schema, "a", INCREMENTAL)
    run(lake, name)
    query(f"ALTER TABLE {schema}.a ALTER at TYPE timestamptz USING at AT TIME ZONE 'America/New_York'")
    run(lake, name)
    assert lake.rows(f"silver.{name}", "date_format(at, 'HH:mm')") == [("17:00",)]


def test_a_cursor_that_may_not_be_read_stops_its_own_table_alone(
    make_lake: Callable[[], TestLake], schema: str, query: Query, app_database: PostgresEndpoint
) -> None:
    for one in "ab":
        query(f"CREATE TABLE {schema}.{one} (id bigserial PRIMARY KEY, v text)")
        query(f"INSERT INTO {schema}.{one} (v) VALUES ('x')")
    query(f"CREATE ROLE {schema} LOGIN PASSWORD 'limited-password'; GRANT USAGE ON SCHEMA {schema} TO {schema};"
          f" GRANT SELECT ON {schema}.b TO {schema}")  # fmt: skip
    try:
        lake = make_lake().with_source("app", source(app_database, user=schema, password="limited-password"))
        refused, loaded = (table(lake, schema, one, "cursor: id\n") for one in "ab")
        done = lake.run(f"raw.{refused}", f"raw.{loaded}")
    finally:
        query(f"DROP OWNED BY {schema}; DROP ROLE {schema}")
    assert done[f"raw.{refused}"].status is Status.FAILED
    assert "may not read" in str(done[f"raw.{refused}"].error)
    assert done[f"raw.{loaded}"].status is Status.SUCCEEDED


NAMES = ("_row", "_outcome", "_newest", "_rank", "_seen", "_winner", "_content", "_failures", "_raw_row", "_removed",
         "_epoch", "_latest", "_last", "_there", "_covered", "_gone", "_deleted_at", "_is_new", "_digest_0")  # fmt: skip


@pytest.mark.parametrize("more", ["", "history: true\n"])
def test_columns_of_any_name_read_back_equal(lake: TestLake, schema: str, query: Query, more: str) -> None:
    columns = ", ".join(f'"{name}" text' for name in NAMES)
    query(f"CREATE TABLE {schema}.a (id int PRIMARY KEY, updated_at timestamptz DEFAULT now(), {columns})")
    values = ", ".join(f"'{name}'" for name in NAMES)
    query(f"INSERT INTO {schema}.a VALUES (1, now(), {values})")
    name = table(lake, schema, "a", INCREMENTAL + more)
    targets = [f"raw.{name}", f"silver.{name}", *([f"silver.{name}_history"] if more else [])]
    for number in (2, 3):
        assert [done.error for done in lake.run(*targets).values() if done.error] == []
        query(f"INSERT INTO {schema}.a VALUES ({number}, now(), {values})")
    assert [done.error for done in lake.run(*targets).values() if done.error] == []
    for target in targets:
        found = lake.rows(target, ", ".join(f"`{column}`" for column in NAMES))
        assert set(found) == {NAMES}
        assert len(found) >= 3


def test_a_moment_of_the_source_never_goes_back(
    lake: TestLake, schema: str, query: Query, people: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a failover to a server whose clock is behind, what is seen later still counts as newer."""
    from lakehouse.sources.postgres.snapshot import exported_snapshot as genuine

    class Behind:
        def __init__(self, *arguments: Any) -> None:
            self._context = genuine(*arguments)

        def __enter__(self) -> Any:
            from dataclasses import replace

            found = self._context.__enter__()
            return replace(found, taken_at=found.taken_at - timedelta(hours=1))

        def __exit__(self, *error: Any) -> Any:
            return self._context.__exit__(*error)

    query(f"UPDATE {schema}.people SET v = 'newer', updated_at = now() WHERE id = 1")
    monkeypatch.setattr("lakehouse.sources.postgres.source.exported_snapshot", Behind)
    run(lake, people)
    lake.run(f"silver.{people}", full_refresh=True)
    assert lake.rows(f"silver.{people}", "v", "id = 1") == [("newer",)]


def test_a_full_refresh_of_a_source_that_shows_nothing_asks(
    lake: TestLake, schema: str, query: Query, people: str
) -> None:
    query(f"TRUNCATE {schema}.people")
    done = lake.run(f"raw.{people}", full_refresh=True)[f"raw.{people}"]
    assert "the source shows no row at all" in str(done.error)
    assert lake.rows(f"raw.{people}", "count(*)") == [(3,)]
