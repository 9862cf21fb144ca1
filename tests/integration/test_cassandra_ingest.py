"""Cassandra into raw and silver: by token range, from the watermark on, whatever its tables hold."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lakehouse.errors import ExitCode
from lakehouse.iceberg.lake import Lake
from lakehouse.orchestrate.runs import Status, TableRun
from lakehouse.raw.gather import Gathering
from lakehouse.sources.cassandra.settings import Settings as CassandraSource
from lakehouse.sources.opening import opened
from lakehouse.sources.reader import Bound, Wanted
from scripts.services.cassandra import Cassandra
from scripts.services.control import Services
from tests.conftest import TestLake

DAY = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def session(cassandra_service: Cassandra) -> Iterator[Any]:
    cluster = cassandra_service.cluster()
    yield cluster.connect()
    cluster.shutdown()


@pytest.fixture
def keyspace(session: Any, request: pytest.FixtureRequest) -> Iterator[str]:
    name = f"k{abs(hash(request.node.nodeid)) % 10**10}"
    session.execute(f"CREATE KEYSPACE {name} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}")
    yield name
    session.execute(f"DROP KEYSPACE {name}")


def source(services: Services, keyspace: str, **more: Any) -> CassandraSource:
    endpoint = services.endpoint("cassandra")
    values = {"type": "cassandra", "hosts": (endpoint.host,), "port": endpoint.port, "keyspace": keyspace,
              "user": "lakehouse", "password": services.env["CASSANDRA_PASSWORD"],
              "consistency": "LOCAL_ONE", **more}  # fmt: skip
    return CassandraSource.model_validate(values)


@pytest.fixture
def lake(
    make_lake: Callable[[], TestLake], services: Services, cassandra_service: Cassandra, keyspace: str
) -> TestLake:
    return make_lake().with_source("app", source(services, keyspace))


def table(lake: TestLake, keyspace: str, name: str, more: str = "") -> str:
    unique = f"{keyspace}_{name.strip(chr(34)).lower().replace(' ', '_')}"
    lake.register(unique, f"source: {{connection: app, relation: '{name}'}}\n{more}")
    return unique


def run(lake: TestLake, name: str, **more: Any) -> TableRun:
    found = lake.run(f"raw.{name}", f"silver.{name}", **more)
    for done in found.values():
        assert done.status in {Status.SUCCEEDED, Status.UNCHANGED}, done.error
    return found[f"raw.{name}"]


EVENTS = "(owner uuid, at timestamp, id int, what text, PRIMARY KEY ((owner), at, id))"
INCREMENTAL = "cursor: at\noverlap: 1 day\n"


def insert(session: Any, keyspace: str, *rows: tuple[datetime, int, str | None]) -> None:
    for at, number, what in rows:
        session.execute(
            f"INSERT INTO {keyspace}.events (owner, at, id, what) VALUES (uuid(), %s, %s, %s)", (at, number, what)
        )


def test_new_changed_late_and_deleted_rows_travel(lake: TestLake, session: Any, keyspace: str) -> None:
    session.execute(f"CREATE TABLE {keyspace}.events {EVENTS}")
    insert(session, keyspace, *((DAY + timedelta(hours=n), n, "x") for n in range(48)))
    name = table(lake, keyspace, "events", INCREMENTAL)
    assert run(lake, name).rows_read == 48
    owner = session.execute(f"SELECT owner FROM {keyspace}.events WHERE id = 5 ALLOW FILTERING").one().owner
    session.execute(f"DELETE FROM {keyspace}.events WHERE owner = %s", (owner,))
    insert(session, keyspace, (DAY + timedelta(hours=60), 100, "new"), (DAY + timedelta(hours=30), 101, "late"),
           (DAY - timedelta(days=200), 102, "much too late"))  # fmt: skip
    done = run(lake, name)
    assert (done.rows_read, done.tombstones) == (3, 1)
    assert any("later than the overlap" in note for note in done.notes)
    expected = sorted(row.id for row in session.execute(f"SELECT id FROM {keyspace}.events"))
    assert [row[0] for row in lake.rows(f"silver.{name}", "id")] == expected


def test_a_run_without_changes_reads_and_commits_nothing(lake: TestLake, session: Any, keyspace: str) -> None:
    session.execute(f"CREATE TABLE {keyspace}.events {EVENTS}")
    insert(session, keyspace, (DAY, 1, "größe\n'"), (DAY, 2, None))
    name = table(lake, keyspace, "events", INCREMENTAL)
    run(lake, name)
    again = lake.run(f"raw.{name}", f"silver.{name}")
    assert {done.status for done in again.values()} == {Status.UNCHANGED}


def test_the_bound_goes_into_the_query_so_that_old_rows_are_not_sent(
    lake: TestLake, services: Services, session: Any, keyspace: str
) -> None:
    session.execute(f"CREATE TABLE {keyspace}.events {EVENTS}")
    insert(session, keyspace, *((DAY + timedelta(days=n), n, "x") for n in range(20)))
    with (
        opened("app", source(services, keyspace, splits=3)) as own,
        own.reader(Wanted("events", doing="reading events")) as reader,
    ):
        parts = reader.read(["id"], Bound("at", DAY + timedelta(days=15)))
        rows = [row["id"] for part in parts for batch in part.batches() for row in batch.to_pylist()]
    assert sorted(rows) == [15, 16, 17, 18, 19]


def test_no_plan_shows_the_password(
    lake: TestLake, services: Services, session: Any, keyspace: str, capsys: pytest.CaptureFixture[str]
) -> None:
    session.execute(f"CREATE TABLE {keyspace}.events {EVENTS}")
    with (
        opened("app", source(services, keyspace)) as own,
        own.reader(Wanted("events", doing="reading events")) as reader,
        ThreadPoolExecutor(1) as readers,
    ):
        parts = reader.read(["id"])
        gathering = Gathering(Lake(lake.spark, lake.catalog), readers, in_threads=False, rows=None)
        gathering.frame(parts, {"id": "int", "_misfits": "string"}).explain(True)
    assert services.env["CASSANDRA_PASSWORD"] not in capsys.readouterr().out + repr(parts)


def test_every_row_is_read_once_over_all_ranges(lake: TestLake, session: Any, keyspace: str) -> None:
    session.execute(f"CREATE TABLE {keyspace}.many (id int PRIMARY KEY)")
    from cassandra.concurrent import execute_concurrent_with_args

    statement = session.prepare(f"INSERT INTO {keyspace}.many (id) VALUES (?)")
    execute_concurrent_with_args(session, statement, [(number,) for number in range(10_000)])
    name = table(lake, keyspace, "many")
    run(lake, name)
    assert lake.rows(f"raw.{name}", "count(*), count(DISTINCT id), min(id), max(id)") == [(10_000, 10_000, 0, 9_999)]


def test_collections_user_types_null_cells_static_columns_and_ttls(lake: TestLake, session: Any, keyspace: str) -> None:
    session.execute(f"CREATE TYPE {keyspace}.place (city text, zip int)")
    session.execute(
        f"CREATE TABLE {keyspace}.odd (id int, c int, shared text STATIC, tags set<text>, attributes map<text, int>,"
        " parts list<frozen<place>>, home frozen<place>, price decimal, big varint, address inet, span duration,"
        " tod time, born date, raw blob, score double, passing text, PRIMARY KEY (id, c))".replace(
            "<place>", f"<{keyspace}.place>"
        )
    )
    session.execute(
        f"INSERT INTO {keyspace}.odd (id, c, shared, tags, attributes, parts, home, price, big, address, span, tod, born,"
        " raw, score) VALUES (1, 1, 's', {'b', 'a'}, {'k': 1}, [{city: 'Oslo', zip: 1}], {city: 'Rome', zip: 2}, 1.50,"
        " 123456789012345678901234567890, '10.0.0.1', 1mo2d, '10:11:12.5', '1960-02-03', 0x00ff, 2.5)"
    )
    session.execute(f"INSERT INTO {keyspace}.odd (id, c) VALUES (1, 2)")
    session.execute(f"INSERT INTO {keyspace}.odd (id, shared) VALUES (2, 'only static')")
    session.execute(f"INSERT INTO {keyspace}.odd (id, c, passing) VALUES (3, 1, 'gone soon') USING TTL 86400")
    name = table(lake, keyspace, "odd")
    run(lake, name)
    row = lake.rows(f"silver.{name}", "shared, tags, attributes, parts, home, price, big, address, tod, CAST(born AS string),"
                    " raw, score", "id = 1 AND c = 1")[0]  # fmt: skip
    assert row == ("s", '["a", "b"]', '{"k": 1}', '[{"city": "Oslo", "zip": 1}]', '{"city": "Rome", "zip": 2}', "1.50",
                   "123456789012345678901234567890", "10.0.0.1", "10:11:12.500000000", "1960-02-03", b"\x00\xff",
                   2.5)  # fmt: skip
    assert lake.rows(f"silver.{name}", "shared, tags, price", "id = 1 AND c = 2") == [("s", None, None)]
    assert lake.rows(f"silver.{name}", "passing", "id = 3") == [("gone soon",)]
    assert lake.rows(f"quarantine.{name}", "rule") == [("missing_c",)]


def test_moments_that_the_lake_cannot_hold_are_rejected_and_early_ones_kept(
    lake: TestLake, session: Any, keyspace: str
) -> None:
    session.execute(f"CREATE TABLE {keyspace}.times (id int PRIMARY KEY, at timestamp)")
    for number, value in ((1, -1), (2, 253402300799999), (3, 253402300800000), (4, -62135596800001)):
        session.execute(f"INSERT INTO {keyspace}.times (id, at) VALUES ({number}, {value})")
    name = table(lake, keyspace, "times")
    run(lake, name)
    assert lake.rows(f"silver.{name}", "id, CAST(at AS string)") == [
        (1, "1969-12-31 23:59:59.999"), (2, "9999-12-31 23:59:59.999")]  # fmt: skip
    assert [row[0] for row in lake.rows(f"quarantine.{name}", "key")] == ['{"id":3}', '{"id":4}']


def test_names_with_spaces_and_upper_case(lake: TestLake, session: Any, keyspace: str) -> None:
    session.execute(f'CREATE TABLE {keyspace}."OddName" ("The Id" int PRIMARY KEY, "Größe" text)')
    session.execute(f"""INSERT INTO {keyspace}."OddName" ("The Id", "Größe") VALUES (1, 'x')""")
    name = table(lake, keyspace, '"OddName"')
    run(lake, name)
    assert lake.rows(f"silver.{name}", "the_id, `größe`") == [(1, "x")]


def test_a_node_that_does_not_answer_for_a_while_is_waited_for(
    lake: TestLake, services: Services, session: Any, keyspace: str, cassandra_service: Cassandra
) -> None:
    """The node is stopped so that requests time out, and goes on after some seconds."""
    session.execute(f"CREATE TABLE {keyspace}.events {EVENTS}")
    insert(session, keyspace, *((DAY, n, "x") for n in range(10)))
    lake.with_source("app", source(services, keyspace, request_timeout_s=1.0, retries=8))
    name = table(lake, keyspace, "events")
    identity = cassandra_service.daemon.identity()
    assert identity is not None
    os.kill(identity.pid, signal.SIGSTOP)
    waker = threading.Timer(6, os.kill, (identity.pid, signal.SIGCONT))
    waker.start()
    try:
        assert run(lake, name).rows_read == 10
    finally:
        waker.join()


@pytest.mark.parametrize(
    ("more", "expected", "code"),
    [({"password": "wrong-secret"}, "wrong credentials for user 'lakehouse'", ExitCode.DATA_FAILURE),
     ({"port": 1}, "does not answer", ExitCode.SYSTEM_FAILURE),
     ({"keyspace": "nowhere"}, "has no keyspace 'nowhere'", ExitCode.DATA_FAILURE)],
)  # fmt: skip
def test_a_source_that_cannot_be_read_says_why_without_the_secret(
    make_lake: Callable[[], TestLake], services: Services, cassandra_service: Cassandra, monkeypatch: pytest.MonkeyPatch,
    more: dict[str, Any], expected: str, code: ExitCode,
) -> None:  # fmt: skip
    monkeypatch.setattr("lakehouse.orchestrate.schedule.FIRST_WAIT_S", 0.01)
    lake = make_lake().with_source("app", source(services, **{"keyspace": "system", **more}))
    done = lake.run(f"raw.{table(lake, 'unreachable', 'local')}").popitem()[1]
    assert expected in str(done.error)
    assert done.exit_code == code
    assert "wrong-secret" not in str(done.error)


def test_a_table_that_is_not_there_is_named_with_the_likely_one(lake: TestLake, session: Any, keyspace: str) -> None:
    session.execute(f"CREATE TABLE {keyspace}.events {EVENTS}")
    done = lake.run(f"raw.{table(lake, keyspace, 'evens')}").popitem()[1]
    assert "has no table 'evens'. Did you mean 'events'?" in str(done.error)
