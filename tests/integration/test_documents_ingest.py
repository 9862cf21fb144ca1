"""Documents into raw and silver: whatever types their fields hold, nothing missed, nothing twice, deletes seen.

The server is mongo-java-server, a fake that speaks MongoDB's wire protocol. It is not MongoDB: that MongoDB's planner uses
indexes, and what its read concern shows, is not proved here.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from bson import Decimal128, Int64, ObjectId
from bson.datetime_ms import DatetimeMS
from pydantic import SecretStr
from pymongo.collection import Collection
from pymongo.database import Database

from lakehouse.errors import ExitCode
from lakehouse.iceberg.lake import Lake
from lakehouse.orchestrate.runs import Status
from lakehouse.raw.gather import Gathering
from lakehouse.scaffold.table import registry_file
from lakehouse.sources.documents.part import DocumentsPart
from lakehouse.sources.documents.settings import Settings
from lakehouse.sources.opening import opened
from lakehouse.sources.reader import Bound, Wanted
from scripts.services.control import Services
from scripts.services.documents import Documents
from scripts.services.process import free_ports
from scripts.services.settings import HOST
from tests.conftest import TestLake
from tests.integration.document_orders import ORDERS
from tests.integration.loads import drop, dying, run

DAY = datetime(2026, 3, 1, tzinfo=UTC)
_FULL = ORDERS.replace("cursor: updated_at\noverlap: 1 hour\n", "")


@pytest.fixture(scope="module")
def database(documents_service: Documents) -> Iterator[Database[dict[str, Any]]]:
    client = documents_service.client()
    yield client.app
    client.close()


@pytest.fixture
def orders(database: Database[dict[str, Any]], request: pytest.FixtureRequest) -> Iterator[Collection[dict[str, Any]]]:
    found = database[f"d{abs(hash(request.node.nodeid)) % 10**10}"]
    yield found
    found.drop()


def source(services: Services, **more: Any) -> Settings:
    endpoint = services.endpoint("documents")
    values = {"type": "documents", "hosts": (endpoint.host,), "port": endpoint.port, "database": "app", **more}
    return Settings.model_validate(values)


@pytest.fixture
def lake(make_lake: Callable[[], TestLake], services: Services, documents_service: Documents) -> TestLake:
    return make_lake().with_source("app", source(services))


@pytest.fixture
def name(lake: TestLake, orders: Collection[dict[str, Any]]) -> Iterator[str]:
    yield orders.name
    drop(lake, orders.name)


def register(lake: TestLake, name: str, more: str = ORDERS, options: str = "") -> None:
    lake.register(name, f"source: {{connection: app, relation: {name}{options}}}\n{more}")


def failed(lake: TestLake, name: str) -> str:
    done = lake.run(f"raw.{name}")[f"raw.{name}"]
    assert done.status is Status.FAILED
    return str(done.error)


def silver(lake: TestLake, name: str, columns: str = "CAST(amount AS string), city") -> dict[str, tuple[Any, ...]]:
    return {row[0]: row[1:] for row in lake.rows(f"silver.{name}", f"id, {columns}")}


def rejected(lake: TestLake, name: str) -> dict[str, str]:
    rows = lake.rows(f"quarantine.{name}", "key, reason")
    return {str(json.loads(row[0])["id"]): row[1] for row in rows}


def order(number: Any, hours: float = 0, **more: Any) -> dict[str, Any]:
    at = DAY + timedelta(hours=hours)
    return {"_id": number, "updated_at": at, "amount": Decimal128("1.50"), "store": {"city": "Ulm"}, **more}


def test_new_changed_and_deleted_documents_travel(
    lake: TestLake, orders: Collection[dict[str, Any]], name: str
) -> None:
    ids = [ObjectId() for _ in range(4)]
    orders.insert_many([order(one, hours) for hours, one in enumerate(ids)])
    register(lake, name)
    assert run(lake, name).rows_read == 4
    assert silver(lake, name) == {str(one): ("1.50", "Ulm") for one in ids}
    orders.delete_one({"_id": ids[0]})
    orders.update_one({"_id": ids[1]}, {"$set": {"amount": 7, "updated_at": DAY + timedelta(hours=9)}})
    orders.insert_one(order(new := ObjectId(), 10))
    done = run(lake, name)
    assert (done.rows_read, done.tombstones) == (2, 1)
    assert silver(lake, name) == {
        str(ids[1]): ("7.00", "Ulm"),
        **{str(one): ("1.50", "Ulm") for one in (ids[2], ids[3], new)},
    }


@pytest.mark.parametrize("more", [ORDERS, _FULL], ids=["incremental", "full"])
def test_a_run_without_changes_reads_and_commits_nothing(
    lake: TestLake, orders: Collection[dict[str, Any]], name: str, more: str
) -> None:
    orders.insert_many([order("a"), order("b", 1, note="größe\n'"), {"_id": 3}, order(4, updated_at="soon")])
    register(lake, name, more)
    run(lake, name)
    before = lake.spark.sql(f"SELECT count(*) FROM iceberg.raw.{name}.snapshots").collect()
    again = lake.run(f"raw.{name}", f"silver.{name}")
    assert {done.status for done in again.values()} == {Status.UNCHANGED}
    assert lake.spark.sql(f"SELECT count(*) FROM iceberg.raw.{name}.snapshots").collect() == before
    orders.update_one({"_id": 3}, {"$set": {"amount": 5}})  # it has no cursor, and its change is seen
    assert run(lake, name).rows_read == (1 if more == ORDERS else 4)


def test_documents_whose_cursor_is_late_missing_or_of_another_type_are_not_missed(
    lake: TestLake, orders: Collection[dict[str, Any]], name: str
) -> None:
    orders.insert_many([order(f"o{n}", n) for n in range(48)])
    register(lake, name)
    run(lake, name)
    odd: dict[str, Any] = {
        "text": "2026-01-01", "small": 5, "null": None, "object": {"at": 1}, "list": [DAY - timedelta(days=9)],
        "true": True, "id": ObjectId(), "early": DatetimeMS(-(2**58)),
    }  # fmt: skip
    for key, value in odd.items():
        orders.insert_one({"_id": key, "updated_at": value, "amount": 1})
    orders.insert_one({"_id": "none", "amount": 1})
    orders.insert_one(order("late", -5_000))
    done = run(lake, name)
    assert done.rows_read == len(odd) + 2
    assert any("later than the overlap" in note for note in done.notes)
    held = {row[0]: row[1] for row in lake.rows(f"raw.{name}", "id, _misfits", "amount = '1'")}
    assert held["text"] == '{"updated_at": "2026-01-01"}'
    assert (held["null"], held["none"]) == (None, None)
    assert rejected(lake, name).keys() == odd.keys() - {"null"}
    assert {"null", "none", "late"} <= silver(lake, name).keys()
    for key in (*odd, "none"):
        orders.update_one({"_id": key}, {"$set": {"amount": 2}})
    assert run(lake, name).rows_read == len(odd) + 1


def test_numbers_as_cursor_are_read_from_the_highest_on_and_texts_among_them_always(
    lake: TestLake, orders: Collection[dict[str, Any]], name: str
) -> None:
    orders.insert_many([{"_id": n, "version": n, "amount": n} for n in range(1, 6)])
    register(lake, name, "cursor: version\ncolumns:\n  id: {source: _id}\n  version:\n  amount:\n")
    run(lake, name)
    assert lake.spark.table(f"iceberg.raw.{name}").schema["version"].dataType.simpleString() == "bigint"
    orders.update_one({"_id": 2}, {"$set": {"version": Int64(9), "amount": "two"}})
    orders.update_one({"_id": 3}, {"$set": {"version": 10.0, "amount": "three"}})
    orders.update_one({"_id": 4}, {"$set": {"version": "v11", "amount": "four"}})
    assert run(lake, name).rows_read == 3
    assert silver(lake, name, "amount")["2"] == ("two",)
    assert silver(lake, name, "amount")["3"] == ("three",)
    assert rejected(lake, name).keys() == {"4"}


def test_a_field_of_mixed_types_is_text_in_raw_and_silver_rejects_what_does_not_fit(
    lake: TestLake, orders: Collection[dict[str, Any]], name: str
) -> None:
    mixed: dict[str, Any] = {
        "int": 5, "double": 2.5, "decimal": Decimal128("1.50"), "text": "3.25", "word": "much", "list": [1, "x"],
        "true": True, "null": None,
    }  # fmt: skip
    orders.insert_many([order(key, amount=value) for key, value in mixed.items()])
    register(lake, name)
    run(lake, name)
    assert dict(lake.rows(f"raw.{name}", "id, amount")) == {
        "int": "5", "double": "2.5", "decimal": "1.50", "text": "3.25", "word": "much", "list": '[1,"x"]',
        "true": "true", "null": None}  # fmt: skip
    told = rejected(lake, name)
    assert told.keys() == {"word", "list", "true"}
    assert "amount: 'much' is not a decimal(10,2)" in told["word"]
    assert silver(lake, name)["double"] == ("2.50", "Ulm")


def test_fields_that_nobody_declared_and_parts_of_objects_are_kept(
    lake: TestLake, orders: Collection[dict[str, Any]], name: str
) -> None:
    orders.insert_many([
        order("a", new={"x": [1.5, None]}, store={"city": "Ulm", "zip": 7}), order("b"),
        order("c", store="closed"),
    ])  # fmt: skip
    register(lake, name)
    run(lake, name)
    assert silver(lake, name, "city, other_fields") == {
        "a": ("Ulm", '{"store":{"city":"Ulm","zip":7},"new":{"x":[1.5,null]}}'),
        "b": ("Ulm", None),
        "c": (None, '{"store":"closed"}'),
    }


def test_ids_of_several_types_are_told_apart_or_stop_the_table(
    lake: TestLake, orders: Collection[dict[str, Any]], name: str
) -> None:
    one = ObjectId()
    orders.insert_many(
        [order(key) for key in (one, "x", 7, 2.5, Int64(2**40), {"a": 1}, Decimal128("0.30"), True, DAY)]
    )
    register(lake, name)
    run(lake, name)
    assert silver(lake, name).keys() == {
        str(one), "x", "7", "2.5", str(2**40), '{"a":1}', "0.3", "true", "2026-03-01T00:00:00.000Z"}  # fmt: skip
    orders.insert_many([order("late", -900), order({"b": 2}, -900), order(0.75, -900)])  # found by their keys
    assert run(lake, name).rows_read == 3
    orders.insert_one(order(str(one)))
    told = failed(lake, name)
    assert "two documents whose `_id` is the same text, one a" in told
    assert "Give one of them another `_id`" in told
    assert len(lake.rows(f"raw.{name}")) == 12


def test_what_is_too_much_for_the_driver_is_compared_by_spark_which_shows_no_password(
    lake: TestLake, services: Services, orders: Collection[dict[str, Any]], name: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    orders.insert_many([order(n, n) for n in range(20)])
    register(lake, name)
    run(lake, name)
    monkeypatch.setattr("lakehouse.raw.held.MOST_ROWS", 0)
    orders.insert_many([order("late", -900), order("new", 30), order("odd", updated_at="soon")])
    orders.delete_one({"_id": 3})
    done = run(lake, name)
    assert any("compared with raw by Spark" in note for note in done.notes)
    assert (done.rows_read, done.tombstones) == (3, 1)
    assert silver(lake, name).keys() == {*map(str, range(20)), "late", "new"} - {"3"}
    assert rejected(lake, name).keys() == {"odd"}
    again = lake.run(f"raw.{name}", f"silver.{name}")
    assert {one.status for one in again.values()} == {Status.UNCHANGED}
    with (
        opened("app", source(services)) as session,
        session.reader(Wanted(name, cursor="updated_at", doing="reading")) as reader,
        ThreadPoolExecutor(1) as readers,
    ):
        secret = SecretStr("a-secret-word")
        parts = [
            replace(part, source=part.source.model_copy(update={"password": secret}))
            for part in reader.read(["_id"])
            if isinstance(part, DocumentsPart)
        ]
        gathering = Gathering(Lake(lake.spark, lake.catalog), readers, in_threads=False, rows=None)
        frame = gathering.frame(parts, {"_id": "string", "_misfits": "string"})
        frame.explain(True)
    assert "a-secret-word" not in capsys.readouterr().out + repr(parts)


def test_many_documents_are_read_once_in_several_parts(
    lake: TestLake, services: Services, orders: Collection[dict[str, Any]], name: str
) -> None:
    orders.insert_many([order(n if n % 10 else f"s{n}", n / 100) for n in range(10_000)])
    with (
        opened("app", source(services)) as session,
        session.reader(Wanted(name, {"_id": "id"}, cursor="updated_at", doing="reading orders")) as reader,
    ):
        parts = [[row["id"] for batch in part.batches() for row in batch.to_pylist()] for part in reader.read(["id"])]
        bounded = reader.read(["id"], Bound("updated_at", DAY + timedelta(hours=99)))
        newest = [row["id"] for part in bounded for batch in part.batches() for row in batch.to_pylist()]
    assert sum(1 for part in parts if len(part) >= 1_000) == 5
    expected = Counter(str(n) if n % 10 else f"s{n}" for n in range(10_000))
    assert Counter(key for part in parts for key in part) == expected
    assert len(newest) == 100
    register(lake, name)
    run(lake, name)
    assert Counter(row[0] for row in lake.rows(f"raw.{name}", "id")) == expected
    orders.delete_many({"_id": {"$lt": 100}})
    assert run(lake, name).tombstones == 90
    assert len(silver(lake, name)) == 9_910


def test_a_run_that_dies_while_it_reads_or_after_it_committed_loses_and_doubles_nothing(
    lake: TestLake, orders: Collection[dict[str, Any]], name: str, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten random points: a reader that fails after some batches, and a commit whose run never heard of it."""
    random = Random(7)
    lake.with_source("app", source(services, batch_size=2))
    orders.insert_many([order(n, n, version=0) for n in range(10)])
    register(lake, name)
    run(lake, name)
    whole, next_id = DocumentsPart.batches, 10
    for turn in range(1, 11):
        orders.insert_many([order(next_id + n, 100 * turn + n, version=turn) for n in range(random.randint(1, 4))])
        next_id = 1 + max(found["_id"] for found in orders.find())
        for key in random.sample([found["_id"] for found in orders.find()], 2):
            at = DAY + timedelta(hours=100 * turn + 50)
            orders.update_one({"_id": key}, {"$set": {"amount": turn, "updated_at": at, "version": turn}})
        orders.delete_one({"_id": random.choice([found["_id"] for found in orders.find()])})
        breaks_off = dying(whole, after=random.randint(0, 2))
        with monkeypatch.context() as patched:
            patched.setattr(DocumentsPart, "batches", breaks_off)
            assert lake.run(f"raw.{name}")[f"raw.{name}"].status is Status.FAILED
        if random.random() < 0.5:
            lake.run(f"raw.{name}")  # and is gone before silver
        run(lake, name)
        truth = {str(found["_id"]): (f"{float(str(found['amount'])):.2f}", "Ulm") for found in orders.find()}
        assert silver(lake, name) == truth
        versions = Counter(lake.rows(f"raw.{name}", "id, other_fields, _op"))
        assert set(versions.values()) == {1}


def test_a_first_run_that_dies_leaves_no_table_and_the_next_one_brings_all(
    lake: TestLake, orders: Collection[dict[str, Any]], name: str, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders.insert_many([order(n, n) for n in range(5)])
    register(lake, name)
    lake.with_source("app", source(services, port=free_ports(HOST, 1)[0], connect_timeout_s=0.3))
    monkeypatch.setattr("lakehouse.orchestrate.schedule.FIRST_WAIT_S", 0.01)
    assert "does not answer" in failed(lake, name)
    lake.with_source("app", source(services))
    assert run(lake, name).rows_read == 5


def test_a_source_that_is_away_is_told_in_time_and_without_a_secret(
    lake: TestLake, services: Services, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lakehouse.orchestrate.schedule.FIRST_WAIT_S", 0.01)
    register(lake, name)
    away = source(services, port=free_ports(HOST, 1)[0], connect_timeout_s=0.3, user="u", password="wrong-secret")
    lake.with_source("app", away)
    began = datetime.now(UTC)
    done = lake.run(f"raw.{name}")[f"raw.{name}"]
    assert datetime.now(UTC) - began < timedelta(seconds=30)
    assert "does not answer" in str(done.error)
    assert done.exit_code == ExitCode.SYSTEM_FAILURE
    assert "wrong-secret" not in str(done.error)


def test_what_is_asked_that_is_not_there_is_refused_with_what_to_do(
    lake: TestLake, services: Services, orders: Collection[dict[str, Any]], name: str
) -> None:
    orders.insert_one(order(1))
    lake.register(f"{name}_x", f"source: {{connection: app, relation: {name}x}}\n{ORDERS}")
    told = str(lake.run(f"raw.{name}_x")[f"raw.{name}_x"].error)
    assert f"has no collection '{name}x'. Did you mean '{name}'?" in told
    register(lake, name, options=", options: {cursor_type: hour}")
    assert "option 'cursor_type' of `source:` is 'hour'" in failed(lake, name)
    lake.with_source("app", source(services, user="u", password="wrong-secret"))
    register(lake, name)
    told = failed(lake, name)
    assert "it asks nobody for a password, and the profile gives user 'u'" in told
    assert "wrong-secret" not in told


def test_a_first_contract_is_written_from_some_documents_and_runs_as_it_is(
    lake: TestLake, services: Services, orders: Collection[dict[str, Any]], name: str
) -> None:
    orders.insert_many([order(n, n, count=Int64(n), ratio=0.5, tags=["a"]) for n in range(5)])
    with opened("app", source(services)) as session:
        assert name in session.relations()
        found = session.describe(name)
    assert found.key == ("_id",)
    assert {column.source_name: column.likely.kind if column.likely else "" for column in found.columns} == {
        "_id": "", "updated_at": "timestamp", "amount": "decimal(18,2)", "store.city": "string", "count": "bigint",
        "ratio": "decimal(18,2)", "tags": "string", "other_fields": ""}  # fmt: skip
    text = registry_file(found, "app", name)
    assert "cursor: updated_at" in text
    lake.register(name, text)
    run(lake, name)
    assert lake.rows(f"silver.{name}", "_id, CAST(amount AS string), store_city, count, tags, other_fields")[0] == (
        "0", "1.50", "Ulm", 0, '["a"]', None)  # fmt: skip
