"""What happens while the lake runs when a source changes its columns, a registry file its layout or its policies."""

from typing import Any

import pytest

from lakehouse.iceberg import partitioning
from lakehouse.orchestrate.runs import Status
from lakehouse.paths import TableName
from tests.conftest import TestLake
from tests.integration.loads import run
from tests.integration.postgres_tables import Query, table

INCREMENTAL = "cursor: updated_at\nkey: [id]\n"


@pytest.fixture
def people(lake: TestLake, schema: str, query: Query) -> str:
    """A table with a row, loaded by its cursor."""
    query(f"CREATE TABLE {schema}.people (id int PRIMARY KEY, name text, amount int, updated_at timestamptz)")
    query(f"INSERT INTO {schema}.people VALUES (1, 'Ana', 5, '2026-01-01')")
    name = table(lake, schema, "people", INCREMENTAL)
    run(lake, name)
    return name


def test_a_new_and_a_wider_column_flow_through_and_are_noted(
    lake: TestLake, schema: str, query: Query, people: str
) -> None:
    query(f"ALTER TABLE {schema}.people ADD email text, ALTER amount TYPE bigint")
    query(f"INSERT INTO {schema}.people VALUES (2, 'Bo', {2**40}, '2026-01-02', 'bo@example.com')")
    assert run(lake, people).notes == (
        "all rows are read: column amount is bigint at the source now, was integer; column email was not read before",
        "new column email (string)",
        "column amount widened to bigint",
    )
    assert lake.rows(f"silver.{people}", "id, amount, email") == [(1, 5, None), (2, 2**40, "bo@example.com")]


@pytest.mark.parametrize(
    ("change", "named"),
    [("ADD email text", "'email' (string) is new"), ("ALTER amount TYPE bigint", "'amount' is bigint now")],
)
def test_a_frozen_schema_stops_the_table_at_what_would_flow_through(
    lake: TestLake, schema: str, query: Query, people: str, change: str, named: str
) -> None:
    table(lake, schema, "people", INCREMENTAL + "schema: freeze\n")
    query(f"ALTER TABLE {schema}.people {change}")
    stopped = lake.run(f"raw.{people}", f"silver.{people}")
    error = str(stopped[f"raw.{people}"].error)
    assert named in error
    assert "`schema: freeze`" in error
    assert "`schema: evolve`" in error
    assert stopped[f"silver.{people}"].status is Status.SKIPPED
    table(lake, schema, "people", INCREMENTAL + "schema: evolve\n")
    assert run(lake, people).status is Status.SUCCEEDED


def test_a_renamed_column_stops_the_table_until_the_file_says_so_and_keeps_its_name(
    lake: TestLake, schema: str, query: Query, people: str
) -> None:
    query(f"ALTER TABLE {schema}.people RENAME name TO full_name")
    error = str(lake.run(f"raw.{people}")[f"raw.{people}"].error)
    assert "column 'name' (string) is gone" in error
    assert "`columns: {name: {source: full_name}}`" in error
    table(lake, schema, "people", INCREMENTAL + "columns: {name: {source: full_name}}\n")
    query(f"INSERT INTO {schema}.people VALUES (2, 'Bo', 1, '2026-01-02')")
    run(lake, people)
    assert lake.rows(f"silver.{people}", "id, name") == [(1, "Ana"), (2, "Bo")]


def test_a_column_that_was_dropped_for_good_keeps_what_the_lake_holds(
    lake: TestLake, schema: str, query: Query, people: str
) -> None:
    query(f"ALTER TABLE {schema}.people DROP amount")
    assert "`columns: {amount: {dropped: true}}`" in str(lake.run(f"raw.{people}")[f"raw.{people}"].error)
    table(lake, schema, "people", INCREMENTAL + "columns: {amount: {dropped: true}}\n")
    query(f"INSERT INTO {schema}.people VALUES (2, 'Bo', '2026-01-02')")
    run(lake, people)
    assert lake.rows(f"silver.{people}", "id, amount") == [(1, 5), (2, None)]


def test_a_change_of_partitioning_is_applied_to_the_live_table_without_rewriting_it(
    lake: TestLake, schema: str, query: Query, people: str
) -> None:
    silver = TableName.parse(f"silver.{people}")
    before = set(lake.catalog.get(silver).data_file_paths())
    table(
        lake, schema, "people", INCREMENTAL + "partition_by: [months(updated_at), 'bucket(4, id)']\nsort_by: [name]\n"
    )
    notes = lake.run(f"raw.{people}", f"silver.{people}")[f"silver.{people}"].notes
    assert notes[0] == "partitioned by months(updated_at), bucket(4, id) from now on, before by nothing"
    held = lake.catalog.get(silver)
    assert set(held.data_file_paths()) == before
    query(f"INSERT INTO {schema}.people VALUES (2, 'Bo', 1, '2026-02-02'), (3, 'Cy', 1, '2026-03-02')")
    run(lake, people)
    assert set(held.data_file_paths()) == before
    held.refresh()
    assert partitioning.partition_fields(held._java, held._classes) == ("months(updated_at)", "bucket(4, id)")
    assert [row[0] for row in lake.rows(f"silver.{people}", "id")] == [1, 2, 3]
    table(lake, schema, "people", INCREMENTAL)
    run(lake, people)
    held.refresh()
    assert partitioning.partition_fields(held._java, held._classes) == ()


PERSONAL = "key: [id]\nholds_pii: true\ncolumns:\n  id: {pii: none}\n  name: {pii: redact}\n"


def test_a_table_that_holds_personal_data_stops_at_a_column_without_a_policy(
    lake: TestLake, schema: str, query: Query
) -> None:
    query(f"CREATE TABLE {schema}.patients (id int PRIMARY KEY, name text)")
    query(f"INSERT INTO {schema}.patients VALUES (1, 'Ana')")
    name = table(lake, schema, "patients", PERSONAL)
    run(lake, name)
    query(f"ALTER TABLE {schema}.patients ADD diagnosis text")
    query(f"UPDATE {schema}.patients SET diagnosis = 'secret'")
    stopped = lake.run(f"raw.{name}", f"silver.{name}")
    assert "columns without a `pii` policy: diagnosis" in str(stopped[f"raw.{name}"].error)
    assert stopped[f"silver.{name}"].status is Status.SKIPPED
    assert lake.rows(f"silver.{name}") == [(1, "[redacted]")]


def test_personal_data_that_raw_holds_already_stops_before_silver_too(
    lake: TestLake, schema: str, query: Query
) -> None:
    query(f"CREATE TABLE {schema}.guests (id int PRIMARY KEY, name text)")
    query(f"INSERT INTO {schema}.guests VALUES (1, 'Ana')")
    name = table(lake, schema, "guests", "key: [id]\n")
    lake.run(f"raw.{name}")
    table(lake, schema, "guests", "key: [id]\nholds_pii: true\ncolumns: {id: {pii: none}}\n")
    stopped: Any = lake.run(f"silver.{name}")[f"silver.{name}"]
    assert stopped.status is Status.FAILED
    assert "raw has columns without a `pii` policy: name" in stopped.error


def test_policies_make_of_values_what_they_say(lake: TestLake, schema: str, query: Query) -> None:
    query(f"CREATE TABLE {schema}.cards (id int PRIMARY KEY, phone text, born date, ip inet, street text, cvc text)")
    query(f"INSERT INTO {schema}.cards VALUES (1, '+49 30 1234-5678', '1980-05-06', '2001:db8:0:7::1', 'Elm St', '12')")
    policies = {"phone": "mask", "born": "year", "ip": "truncate_ip", "street": "drop", "cvc": "mask"}
    columns = "".join(f"  {column}: {{pii: {policy}}}\n" for column, policy in policies.items())
    name = table(lake, schema, "cards", f"key: [id]\nholds_pii: true\ncolumns:\n  id: {{pii: none}}\n{columns}")
    run(lake, name)
    assert lake.rows(f"silver.{name}") == [(1, "+** ** ****-5678", 1980, "2001:db8:0::/48", "**")]


def test_history_keeps_each_version_through_a_full_refresh(lake: TestLake, schema: str, query: Query) -> None:
    query(f"CREATE TABLE {schema}.prices (id int PRIMARY KEY, price int, updated_at timestamptz)")
    query(f"INSERT INTO {schema}.prices VALUES (1, 10, '2026-01-01'), (2, 5, '2026-01-01')")
    name = table(lake, schema, "prices", INCREMENTAL + "history: true\n")
    targets = (f"raw.{name}", f"silver.{name}", f"silver.{name}_history")
    lake.run(*targets)
    query(f"UPDATE {schema}.prices SET price = 12, updated_at = '2026-01-05' WHERE id = 1")
    query(f"DELETE FROM {schema}.prices WHERE id = 2")
    found = lake.run(*targets, accept_deletes=frozenset({name}))
    books = found[f"silver.{name}_history"]
    assert books.rows_read == books.merged + books.superseded + books.rejected
    columns = "id, price, CAST(valid_from AS date), CAST(valid_to IS NULL AS int), is_current"
    versions = lake.rows(f"silver.{name}_history", columns, order="id, valid_from")
    assert [(row[0], row[1], str(row[2]), row[4]) for row in versions] == [
        (1, 10, "2026-01-01", False),
        (1, 12, "2026-01-05", True),
        (2, 5, "2026-01-01", False),
    ]
    lake.run(*targets, full_refresh=True)
    assert lake.rows(f"silver.{name}_history", columns, order="id, valid_from") == versions
    assert lake.rows(f"silver.{name}", "id, price") == [(1, 12)]
