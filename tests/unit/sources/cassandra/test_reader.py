"""A table of Cassandra in parts: what each asks for, and what it brings."""

import itertools
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from cassandra import InvalidRequest

from lakehouse.errors import SourceError
from lakehouse.sources import probe
from lakehouse.sources.cassandra import part as module
from lakehouse.sources.cassandra import source as source_module
from lakehouse.sources.cassandra.reader import CassandraReader
from lakehouse.sources.cassandra.settings import Settings
from lakehouse.sources.cassandra.source import opened
from lakehouse.sources.cassandra.token_ranges import MAXIMUM, MINIMUM
from lakehouse.sources.reader import COVERED, MISFITS, Bound, Wanted
from tests.unit.sources.cassandra.fakes import FakeSession, sent, table

EVENTS = table(id="int", at="timestamp", name="text")
COLUMNS = ["id", "at", "name"]
AT = datetime(2026, 1, 1, tzinfo=UTC)
ROWS = sent(EVENTS, COLUMNS, [(1, 0, "a"), (2, 2**60, "b"), (3, None, None)])
KEYS = [row[:1] for row in ROWS]


def settings(splits: int = 1) -> Settings:
    return Settings.model_validate(
        {"type": "cassandra", "hosts": ("127.0.0.1",), "keyspace": "app", "splits": splits, "password": "secret-word"}
    )


def reader(session: FakeSession, splits: int = 1) -> CassandraReader:
    return CassandraReader(EVENTS, settings(splits), session, "ingesting events")


def rows(batches: Iterator[pa.RecordBatch]) -> list[dict[str, Any]]:
    return [row for batch in batches for row in batch.to_pylist()]


def test_a_part_brings_its_rows_a_batch_a_page_with_what_does_not_fit() -> None:
    (part,) = reader(FakeSession([ROWS[:1], [], ROWS[1:]])).read(COLUMNS)
    batches = list(part.batches())
    assert [batch.num_rows for batch in batches] == [1, 2]
    assert [row[MISFITS] for row in rows(iter(batches))] == [None, '{"at": "1152921504606846976 ms since 1970"}', None]


def test_parts_together_ask_for_the_whole_ring_once_within_the_bound() -> None:
    session = FakeSession([]).with_ring(-5, 0, 5)
    for part in reader(session, splits=2).read(COLUMNS, Bound("at", AT)):
        assert list(part.batches()) == []
    assert {cql.rpartition(" WHERE ")[2] for cql in session.prepared} == {
        'token("id") > ? AND token("id") <= ? AND "at" >= ? ALLOW FILTERING'
    }
    asked = sorted(session.bound)
    assert [asked[0][0], asked[-1][1]] == [MINIMUM, MAXIMUM]
    assert all(one[1] == following[0] for one, following in itertools.pairwise(asked))
    assert {values[2] for values in asked} == {1_767_225_600_000}


def test_rows_are_asked_for_by_key_by_leaving_out_all_others() -> None:
    (part,) = reader(FakeSession([ROWS])).read(COLUMNS, keys=pa.table({"id": pa.array([3, 1, 9], pa.int32())}))
    assert [row["id"] for row in rows(part.batches())] == [1, 3]


def test_keys_are_covered_by_no_read_since_another_read_shows_another_moment() -> None:
    (part,) = reader(FakeSession([KEYS[:2]])).read_keys(["id"], Bound("at", AT))
    assert rows(part.batches()) == [{"id": 1, COVERED: False}, {"id": 2, COVERED: False}]


def test_a_part_that_travels_to_an_executor_connects_there_itself_and_shows_no_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    there = FakeSession([ROWS])

    @contextmanager
    def connect(_: Settings) -> Iterator[FakeSession]:
        yield there

    monkeypatch.setattr(module, "connect", connect)
    (part,) = reader(FakeSession([])).read(COLUMNS)
    assert "secret-word" not in repr(part)
    travelled = pickle.loads(pickle.dumps(part))
    assert travelled.session is None
    assert [row["id"] for row in rows(travelled.batches())] == [1, 2, 3]


def test_what_cassandra_refuses_is_told_with_what_was_being_done() -> None:
    (part,) = reader(FakeSession([ROWS], {0: [InvalidRequest("no such column")]})).read(COLUMNS)
    with pytest.raises(
        SourceError, match=r"ingesting events: Cassandra keyspace 'app' .* refused the request: no such"
    ):
        list(part.batches())


class Answering(FakeSession):
    """Answers what is asked for: the keys of :data:`ROWS`, or the rows."""

    def prepare(self, cql: str) -> Any:
        self._pages = [ROWS if '"name"' in cql else KEYS]
        return super().prepare(cql)


def test_a_look_reads_rows_before_keys_and_the_load_that_follows_reads_neither_again() -> None:
    session, bound = Answering([]), Bound("at", AT)
    found = reader(session)
    look = found.look(COLUMNS, bound, count_keys=False)
    assert look is not None
    assert look.keys == 3
    assert ['"name"' in cql for cql in session.prepared] == [True, False]
    (read,), (keys,) = found.read(COLUMNS, bound), found.read_keys(["id"], None)
    assert [row["id"] for row in rows(read.batches())] == [row["id"] for row in rows(keys.batches())] == [1, 2, 3]
    assert len(session.prepared) == 2
    list(found.read(COLUMNS, Bound("at"))[0].batches())
    assert len(session.prepared) == 3


def test_a_look_at_all_rows_reads_them_once() -> None:
    session = Answering([])
    look = reader(session).look(COLUMNS, None, count_keys=True)
    assert look is not None
    assert (look.keys, len(session.prepared)) == (3, 1)


def test_of_a_look_at_more_than_fits_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "MOST_KEPT", 10)
    session, bound = Answering([]), Bound("at", AT)
    found = reader(session)
    found.look(COLUMNS, bound, count_keys=False)
    assert len(rows(found.read(COLUMNS, bound)[0].batches())) == 3
    assert len(session.prepared) == 3


def test_nothing_is_known_of_rows_on_their_way_so_a_cursor_has_neither_floor_nor_slack() -> None:
    found = reader(FakeSession([]))
    assert found.floor("at") is None
    assert not found.slack("at")
    assert found.repetitive() is None


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> FakeSession:
    """The session that every connection gets: it knows two tables of keyspace ``app``."""
    session = FakeSession([KEYS[:1]])
    key = SimpleNamespace(name="id", cql_type="int")
    plain = SimpleNamespace(columns={"id": key}, partition_key=[key], clustering_key=[])
    session.cluster.metadata.keyspaces["app"] = SimpleNamespace(tables={"events": plain, "Odd": plain})

    @contextmanager
    def connect(_: Settings) -> Iterator[FakeSession]:
        yield session

    monkeypatch.setattr(source_module, "connect", connect)
    return session


def test_a_session_shows_what_is_visible_now_and_awaits_no_transaction(driver: FakeSession) -> None:
    with opened("app", settings(), ()) as session:
        assert not session.one_moment
        assert not session.horizon.has_transactions
        assert session.horizon.at == session.taken_at


def test_the_tables_of_a_keyspace_are_spelled_as_a_registry_file_names_them(driver: FakeSession) -> None:
    with opened("app", settings(), ()) as session:
        assert session.relations() == ['"Odd"', "events"]
        assert session.relations("none") == []
        assert session.describe('"Odd"').name == "app.Odd"


def test_a_reader_takes_the_lake_names_of_the_registry(driver: FakeSession) -> None:
    names = {"id": "event_id"}
    with (
        opened("app", settings(), ()) as session,
        session.reader(Wanted("events", names, doing="ingesting events")) as found,
    ):
        assert found.relation.key == ("event_id",)
        assert rows(found.read_keys(["event_id"], None)[0].batches()) == [{"event_id": 1, COVERED: False}]
