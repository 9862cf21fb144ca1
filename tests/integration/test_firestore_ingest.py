"""Documents of Cloud Firestore into raw and silver, by Google's own client.

The server is an emulator, a fake (``tests/firestore_emulator.py``): what real indexes, quotas and permissions do is not proved.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from google.cloud.firestore import Client, CollectionReference, GeoPoint

from lakehouse.errors import ExitCode, SourceError, SourceUnavailableError
from lakehouse.orchestrate.runs import Status
from lakehouse.scaffold.table import registry_file
from lakehouse.sources.documents.part import DocumentsPart
from lakehouse.sources.documents.settings import Settings
from lakehouse.sources.opening import opened
from lakehouse.sources.reader import Wanted
from scripts.services.process import free_ports
from scripts.services.settings import HOST
from tests.conftest import TestLake
from tests.firestore_emulator import PROJECT, client, emulator
from tests.integration.document_orders import ORDERS
from tests.integration.loads import drop, dying, run

DAY = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with emulator() as found:
        yield found


@pytest.fixture
def database(address: str) -> Iterator[Client]:
    found = client(address)
    yield found
    found.close()


@pytest.fixture
def orders(database: Client, request: pytest.FixtureRequest) -> CollectionReference:
    return database.collection(f"f{abs(hash(request.node.nodeid)) % 10**10}")


def source(address: str, **more: Any) -> Settings:
    values = {"type": "documents", "client": "firestore", "project": PROJECT, "database": "(default)"}
    return Settings.model_validate({**values, "emulator": address, **more})


@pytest.fixture
def lake(make_lake: Callable[[], TestLake], address: str) -> TestLake:
    return make_lake().with_source("app", source(address))


@pytest.fixture
def name(lake: TestLake, orders: CollectionReference) -> Iterator[str]:
    yield orders.id
    drop(lake, orders.id)


def register(lake: TestLake, name: str) -> None:
    lake.register(name, f"source: {{connection: app, relation: {name}, options: {{cursor_type: timestamp}}}}\n{ORDERS}")


def order(hours: float = 0, **more: Any) -> dict[str, Any]:
    return {"updated_at": DAY + timedelta(hours=hours), "amount": 1.5, "store": {"city": "Ulm"}, **more}


def silver(lake: TestLake, name: str, columns: str = "CAST(amount AS string), city") -> dict[str, tuple[Any, ...]]:
    return {row[0]: row[1:] for row in lake.rows(f"silver.{name}", f"id, {columns}")}


def test_new_changed_and_deleted_documents_travel_and_a_quiet_run_commits_nothing(
    lake: TestLake, orders: CollectionReference, name: str
) -> None:
    for number in range(5):
        orders.document(f"o{number}").set(order(number))
    register(lake, name)
    assert run(lake, name).rows_read == 5
    again = lake.run(f"raw.{name}", f"silver.{name}")
    assert {done.status for done in again.values()} == {Status.UNCHANGED}
    orders.document("o0").delete()
    orders.document("o1").update({"amount": 7, "updated_at": DAY + timedelta(hours=9)})
    orders.document("new").set(order(10))
    orders.document("late").set(order(-900))
    done = run(lake, name)
    assert (done.rows_read, done.tombstones) == (3, 1)
    assert silver(lake, name) == {
        "o1": ("7.00", "Ulm"),
        **dict.fromkeys(("o2", "o3", "o4", "new", "late"), ("1.50", "Ulm")),
    }


def test_a_collection_that_lost_all_its_documents_stops_its_table_until_a_person_says_so(
    lake: TestLake, orders: CollectionReference, name: str
) -> None:
    orders.document("a").set(order())
    register(lake, name)
    run(lake, name)
    orders.document("a").delete()
    told = lake.run(f"raw.{name}")[f"raw.{name}"]
    assert told.exit_code == ExitCode.DATA_FAILURE
    assert f"the source shows no row at all at {name}" in str(told.error)
    assert silver(lake, name).keys() == {"a"}
    done = run(lake, name, accept_deletes=frozenset({name}))
    assert (done.rows_read, done.tombstones) == (0, 1)
    assert silver(lake, name) == {}
    orders.document("b").set(order(1))
    run(lake, name)
    assert silver(lake, name).keys() == {"b"}


def test_fields_of_each_type_are_text_by_one_rule_and_moments_keep_their_microseconds(
    lake: TestLake, orders: CollectionReference, name: str
) -> None:
    at = DAY + timedelta(microseconds=123_456)
    orders.document("a").set(order(
        updated_at=at, place=GeoPoint(1.5, 2), other=orders.document("b"), bytes=b"ab", list=[1, {"x": None}], at=at
    ))  # fmt: skip
    orders.document("b").set(order(1, amount="2.25", store="closed"))
    orders.document("c").set(order(2, amount="much"))
    register(lake, name)
    run(lake, name)
    others = json.loads(lake.rows(f"raw.{name}", "other_fields", "id = 'a'")[0][0])
    assert others == {"place": {"latitude": 1.5, "longitude": 2.0}, "other": f"{name}/b", "bytes": "YWI=",
                      "list": [1, {"x": None}], "at": "2026-03-01T00:00:00.123456Z"}  # fmt: skip
    assert silver(lake, name, "updated_at, CAST(amount AS string), city") == {
        "a": (at.replace(tzinfo=None), "1.50", "Ulm"),
        "b": ((DAY + timedelta(hours=1)).replace(tzinfo=None), "2.25", None),
    }
    (reason,) = (row[0] for row in lake.rows(f"quarantine.{name}", "reason"))
    assert "amount: 'much' is not a decimal(10,2)" in reason


def test_a_cursor_of_another_type_is_read_each_time_and_one_that_is_missing_when_keys_are_compared(
    lake: TestLake, orders: CollectionReference, name: str
) -> None:
    orders.document("o").set(order(48))
    register(lake, name)
    run(lake, name)
    odd = {
        "text": "soon",
        "whole": 5,
        "fraction": 0.5,
        "null": None,
        "true": True,
        "bytes": b"x",
        "place": GeoPoint(1, 2),
    }
    for key, value in odd.items():
        orders.document(key).set(order(updated_at=value))
    orders.document("none").set({"amount": 1})
    assert run(lake, name).rows_read == len(odd) + 1
    for key in odd:
        orders.document(key).update({"amount": 2})
    assert run(lake, name).rows_read == len(odd)
    assert silver(lake, name).keys() == {"o", "null", "none"}
    assert len(lake.rows(f"quarantine.{name}", "key")) == len(odd) - 1


def test_a_run_that_dies_loses_and_doubles_nothing(
    lake: TestLake, orders: CollectionReference, name: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five random points: a reader that fails after some batches, and a commit whose run never heard of it."""
    random, truth = Random(7), {f"o{n}": 1.5 for n in range(10)}
    lake.with_source("app", source(address, batch_size=2))
    for number, key in enumerate(truth):
        orders.document(key).set(order(number))
    register(lake, name)
    run(lake, name)
    whole = DocumentsPart.batches
    for turn in range(1, 6):
        new = [f"t{turn}-{n}" for n in range(random.randint(1, 4))]
        changed, gone = random.sample(sorted(truth), 2), random.choice(sorted(truth))
        for place, key in enumerate((*new, *changed)):
            orders.document(key).set(order(100 * turn + place, amount=turn, version=turn))
            truth[key] = turn
        orders.document(gone).delete()
        del truth[gone]
        with monkeypatch.context() as patched:
            patched.setattr(DocumentsPart, "batches", dying(whole, after=random.randint(0, 2)))
            assert lake.run(f"raw.{name}")[f"raw.{name}"].status is Status.FAILED
        if random.random() < 0.5:
            lake.run(f"raw.{name}")  # and is gone before silver
        run(lake, name)
        assert silver(lake, name) == {key: (f"{amount:.2f}", "Ulm") for key, amount in truth.items()}
        assert set(Counter(lake.rows(f"raw.{name}", "id, other_fields, _op")).values()) == {1}


def test_what_is_away_or_not_there_is_told(
    lake: TestLake, orders: CollectionReference, name: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lakehouse.orchestrate.schedule.FIRST_WAIT_S", 0.01)
    register(lake, name)
    told = lake.run(f"raw.{name}")[f"raw.{name}"]
    assert f"has no collection '{name}', or no document in it. It does not list those that it has" in str(told.error)
    orders.document("a").set(order())
    lake.with_source("app", source(f"{HOST}:{free_ports(HOST, 1)[0]}", connect_timeout_s=0.5))
    told = lake.run(f"raw.{name}")[f"raw.{name}"]
    assert "Firestore's database '(default)' of project 'demo' does not answer" in str(told.error)
    assert told.exit_code == ExitCode.SYSTEM_FAILURE
    with opened("app", source(address)) as session, pytest.raises(SourceError, match="does not know what it is asked"):
        session.relations()


def test_a_server_that_goes_while_it_is_read_is_told_by_the_time_to_connect(name: str) -> None:
    """Google's client alone would try for five minutes."""
    with ExitStack() as server:
        going = server.enter_context(emulator())
        with closing(client(going)) as there:
            there.collection(name).document("a").set(order())
        with (
            opened("app", source(going, connect_timeout_s=0.5)) as session,
            session.reader(Wanted(name, columns=["amount"])) as reader,
        ):
            (part,) = reader.read(["amount"])
            server.close()
            with pytest.raises(SourceUnavailableError, match="does not answer: RetryError"):
                list(part.batches())


def test_a_first_contract_is_written_from_some_documents_and_runs_as_it_is(
    lake: TestLake, orders: CollectionReference, name: str, address: str
) -> None:
    for number in range(5):
        orders.document(f"o{number}").set(order(number, count=number, tags=["a"]))
    with opened("app", source(address)) as session:
        text = registry_file(session.describe(name), "app", name)
    assert "key: [_id]\ncursor: updated_at" in text
    lake.register(name, text)
    run(lake, name)
    rows = lake.rows(f"silver.{name}", "_id, CAST(amount AS string), store_city, count, tags")
    assert sorted(rows)[0] == ("o0", "1.50", "Ulm", 0, '["a"]')
