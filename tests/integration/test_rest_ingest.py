"""Records of an API into raw and silver: nothing missed, nothing twice, however it misbehaves.

The API is a fake in this process (``tests/fake_api.py``); what real ones do besides is not proved here.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from lakehouse.errors import ExitCode
from lakehouse.orchestrate.runs import Status, TableRun
from lakehouse.scaffold.table import registry_file
from lakehouse.sources.opening import opened
from lakehouse.sources.rest import trying
from lakehouse.sources.rest.part import RestPart
from tests.conftest import TestLake
from tests.fake_api import FakeApi, Fault, Record, served
from tests.integration.loads import drop, dying, run

DAY = datetime(2026, 3, 1, tzinfo=UTC)
_PAGES = "records: data.items, paging: cursor, next: meta.next, cursor_type: timestamp"
_OPTIONS = f"{{{_PAGES}, since: updated_after, sparse: note}}"
_WITHOUT_SINCE = f"{{{_PAGES}}}"
_ANSWERS = """
key: [id]
cursor: updated_at
overlap: 1 hour
deletes: {max_share: 1}
columns:
  id: bigint
  updated_at: timestamp
  amount: {type: "decimal(10,2)"}
  city: {source: store.city}
"""
_FULL = _ANSWERS.replace("cursor: updated_at\noverlap: 1 hour\n", "")


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApi]:
    monkeypatch.setattr(trying, "_wait", lambda state: 0.0)
    monkeypatch.setattr("lakehouse.orchestrate.schedule.FIRST_WAIT_S", 0.01)
    with served() as found:
        yield found


@pytest.fixture
def lake(make_lake: Callable[[], TestLake], api: FakeApi) -> TestLake:
    return make_lake().with_source("app", api.settings())


@pytest.fixture
def name(lake: TestLake, request: pytest.FixtureRequest) -> Iterator[str]:
    found = f"r{abs(hash(request.node.nodeid)) % 10**10}"
    yield found
    drop(lake, found)


def register(lake: TestLake, name: str, more: str = _ANSWERS, options: str = _OPTIONS) -> None:
    lake.register(name, f"source: {{connection: app, relation: records, options: {options}}}\n{more}")


def answer(number: int, hours: float = 0, **more: Any) -> Record:
    at = (DAY + timedelta(hours=hours)).isoformat()
    return {"id": number, "updated_at": at, "amount": 1.50, "store": {"city": "Ulm"}, **more}


def failed(lake: TestLake, name: str) -> TableRun:
    done = lake.run(f"raw.{name}")[f"raw.{name}"]
    assert done.status is Status.FAILED
    return done


def silver(lake: TestLake, name: str) -> dict[int, tuple[Any, ...]]:
    return {row[0]: row[1:] for row in lake.rows(f"silver.{name}", "id, CAST(amount AS string), city")}


def truth(api: FakeApi) -> dict[int, tuple[Any, ...]]:
    return {found["id"]: (f"{float(found['amount']):.2f}", found["store"]["city"]) for found in api.records}


def test_new_changed_and_deleted_records_travel_and_a_day_asks_for_what_changed(
    lake: TestLake, api: FakeApi, name: str
) -> None:
    api.records = [answer(n, n) for n in range(10)]
    register(lake, name)
    assert run(lake, name).rows_read == 10
    assert silver(lake, name) == truth(api)
    del api.records[0]
    api.records[3] = answer(4, 20, amount=7)
    api.records += [answer(10, 21), answer(11, -900)]  # the last one bears a time long before
    api.asked.clear()
    done = run(lake, name)
    assert (done.rows_read, done.tombstones) == (3, 1)
    assert api.asked[0] == {"updated_after": "2026-03-01T07:59:59Z"}
    assert silver(lake, name) == truth(api)


def test_without_a_comparison_of_keys_a_day_asks_for_nothing_else(lake: TestLake, api: FakeApi, name: str) -> None:
    api.records = [answer(n, n) for n in range(40)]
    register(lake, name, _ANSWERS.replace("{max_share: 1}", "{detect: never}"))
    run(lake, name)
    api.records.append(answer(40, 41))
    api.asked.clear()
    assert run(lake, name).rows_read == 1
    assert api.asked == [{"updated_after": "2026-03-02T13:59:59Z"}]
    assert silver(lake, name) == truth(api)


@pytest.mark.parametrize("more", [_ANSWERS, _FULL], ids=["incremental", "full"])
def test_a_run_without_changes_commits_nothing(lake: TestLake, api: FakeApi, name: str, more: str) -> None:
    api.records = [answer(n, n, note="größe\n'") for n in range(9)] + [
        answer(9, updated_at="soon"),
        answer(10, store=3),
    ]
    register(lake, name, more, _OPTIONS if more == _ANSWERS else _WITHOUT_SINCE)
    run(lake, name)
    again = lake.run(f"raw.{name}", f"silver.{name}")
    assert {done.status for done in again.values()} == {Status.UNCHANGED}
    api.records[2]["amount"] = 9
    api.records[2]["updated_at"] = (DAY + timedelta(hours=50)).isoformat()
    assert run(lake, name).rows_read == (1 if more == _ANSWERS else 11)
    assert silver(lake, name)[2] == ("9.00", "Ulm")


def test_an_api_that_cannot_be_asked_by_a_moment_is_read_once_in_a_load(
    lake: TestLake, api: FakeApi, name: str
) -> None:
    api.records = [answer(n, n) for n in range(10)]
    register(lake, name, options=_WITHOUT_SINCE)
    run(lake, name)
    api.records[0], api.asked = answer(0, 30, amount=3), []
    del api.records[5]
    done = run(lake, name)
    assert (done.rows_read, done.tombstones) == (1, 1)
    assert len(api.asked) == 3
    assert silver(lake, name) == truth(api)


def test_what_is_no_record_is_rejected_with_its_reason_and_the_rest_loads(
    lake: TestLake, api: FakeApi, name: str
) -> None:
    odd: list[Any] = [7, None, "x", answer(1, updated_at="soon"), answer(2, amount="much"), {"note": "no key"}]
    api.records, api.paging = [answer(0), *odd, answer(3)], "link"
    register(lake, name, options="{records: data.items, paging: link, next: meta.next}")
    run(lake, name)
    assert silver(lake, name).keys() == {0, 3}
    reasons = [row[0] for row in lake.rows(f"quarantine.{name}", "reason")]
    assert sum("no JSON object" in reason for reason in reasons) == 3
    assert any('{"updated_at": "soon"}' in reason for reason in reasons)
    assert any("amount: 'much' is not a decimal(10,2)" in reason for reason in reasons)
    assert len(reasons) == 6


def test_values_are_in_raw_as_they_were_written(lake: TestLake, api: FakeApi, name: str) -> None:
    body = (b'{"data": {"items": [{"id": 1, "updated_at": "2026-03-01", "amount": 1.50, "store": {"city": "\\u00fc"},'
            b' "note": 1e400}]}}')  # fmt: skip
    api.faults.append(Fault(body=body))
    register(
        lake,
        name,
        _ANSWERS + "  note: string\n",
        _WITHOUT_SINCE,
    )
    run(lake, name)
    assert lake.rows(f"raw.{name}", "id, amount, city, note") == [("1", "1.50", "ü", "1e400")]


def test_an_api_that_fails_now_and_then_is_read_as_one_that_does_not(lake: TestLake, api: FakeApi, name: str) -> None:
    random = Random(3)
    kinds = [
        Fault(429, headers={"Retry-After": "0"}),
        Fault(500),
        Fault(cut=True),
        Fault(body=b"<html>"),
        None,
        None,
        None,
    ]
    lake.with_source("app", api.settings(tries=12))
    register(lake, name)
    for day in range(4):
        api.records += [answer(100 * day + n, 24 * day + n / 10) for n in range(20)]
        api.faults.extend(random.choice(kinds) for _ in range(60))
        run(lake, name)
        api.faults.clear()
        assert silver(lake, name) == truth(api)


def test_pages_that_move_while_they_are_read_are_read_again_and_nothing_slips_through(
    lake: TestLake, api: FakeApi, name: str
) -> None:
    """Pages by offset: a record that is changed goes to the end, and all others stand one place before."""
    api.records, api.paging = [answer(n, n) for n in range(12)], "offset"
    turns = iter(range(3))

    def moves() -> None:
        if next(turns, None) is not None:
            changed = api.records.pop(0)
            api.records.append(answer(changed["id"], 100 + changed["id"], amount=8))

    api.between = moves
    register(lake, name, options="{records: data.items, paging: offset, since: updated_after, cursor_type: timestamp}")
    run(lake, name)
    assert silver(lake, name) == truth(api)


def test_a_field_that_vanished_stops_the_table_as_it_was(lake: TestLake, api: FakeApi, name: str) -> None:
    api.records = [answer(n, n) for n in range(30)]
    register(lake, name)
    run(lake, name)
    before = silver(lake, name)
    api.records = [{"id": n, "updated_at": found["updated_at"], "total": 1} for n, found in enumerate(api.records)]
    told = failed(lake, name)
    assert "none of the 30 records of records has amount, store.city" in str(told.error)
    assert "`dropped: true`" in str(told.error)
    assert told.exit_code == ExitCode.DATA_FAILURE
    assert silver(lake, name) == before
    register(lake, name, _ANSWERS.replace('{type: "decimal(10,2)"}', "{dropped: true}").replace("{source: store.city}",
             "{source: store.city, dropped: true}"))  # fmt: skip
    run(lake, name)
    assert len(silver(lake, name)) == 30


def test_an_api_that_is_away_refuses_or_never_ends_is_told_and_changes_nothing(
    lake: TestLake, api: FakeApi, name: str
) -> None:
    api.records = [answer(n, n) for n in range(9)]
    register(lake, name, options=f"{{{_PAGES}, parameter: behind}}")  # which it does not know
    told = failed(lake, name)
    assert "says of a page that the next one is one that was read before; expected an end" in str(told.error)
    assert told.exit_code == ExitCode.DATA_FAILURE
    register(lake, name)
    lake.with_source("app", api.settings(url="http://127.0.0.1:1/v1", token="secret-word"))
    told = failed(lake, name)
    assert told.exit_code == ExitCode.SYSTEM_FAILURE
    assert "secret-word" not in str(told.error)
    api.token = "right"
    lake.with_source("app", api.settings(token="wrong-secret"))
    told = failed(lake, name)
    assert "answers 401 Unauthorized; expected credentials" in str(told.error)
    lake.with_source("app", api.settings(token="right"))
    run(lake, name)
    assert silver(lake, name) == truth(api)


def test_what_is_too_much_for_the_driver_is_compared_by_spark(
    lake: TestLake, api: FakeApi, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.records = [answer(n, n) for n in range(20)]
    register(lake, name)
    run(lake, name)
    monkeypatch.setattr("lakehouse.raw.held.MOST_ROWS", 0)
    api.records += [answer(20, 30), answer(21, -900)]
    del api.records[3]
    done = run(lake, name)
    assert any("compared with raw by Spark" in note for note in done.notes)
    assert (done.rows_read, done.tombstones) == (2, 1)
    assert silver(lake, name) == truth(api)


def test_a_run_that_dies_while_it_reads_or_after_it_committed_loses_and_doubles_nothing(
    lake: TestLake, api: FakeApi, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten random points: a read that fails after some pages, and a commit whose run never heard of it."""
    random = Random(7)
    api.records = [answer(n, n) for n in range(10)]
    register(lake, name)
    run(lake, name)
    whole, next_id = RestPart.batches, 10
    for turn in range(1, 11):
        api.records += [answer(next_id + n, 100 * turn + n) for n in range(random.randint(1, 6))]
        next_id = 1 + max(found["id"] for found in api.records)
        for place in random.sample(range(len(api.records)), 2):
            changed = api.records.pop(place)
            api.records.append(answer(changed["id"], 100 * turn + 50 + changed["id"] / 100, amount=turn, rank=next_id))
            next_id += 1
        del api.records[random.randrange(len(api.records))]
        breaks_off = dying(whole, after=random.randint(0, 2))
        with monkeypatch.context() as patched:
            patched.setattr(RestPart, "batches", breaks_off)
            assert lake.run(f"raw.{name}")[f"raw.{name}"].status is Status.FAILED
        if random.random() < 0.5:
            lake.run(f"raw.{name}")  # and is gone before silver
        run(lake, name)
        assert silver(lake, name) == truth(api)
        versions = Counter(lake.rows(f"raw.{name}", "id, updated_at, _op"))
        assert set(versions.values()) == {1}


def test_a_first_contract_runs_as_it_is(lake: TestLake, api: FakeApi, name: str) -> None:
    api.records = [answer(n, n, tags=["a"], note=None if n else "x") for n in range(9)]
    with opened("app", api.settings()) as session:
        text = registry_file(session.describe("records"), "app", "records")
    lake.register(name, text)
    run(lake, name)
    columns = "id, updated_at, CAST(amount AS string), store_city, tags, note"
    assert len(lake.rows(f"silver.{name}", columns)) == 9
    row = next(row for row in lake.rows(f"silver.{name}", columns) if row[0] == 0)
    assert row[2:] == ("1.50", "Ulm", json.dumps(["a"], separators=(", ", ": ")), "x")
