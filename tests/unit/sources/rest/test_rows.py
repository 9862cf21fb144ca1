"""Records as rows: letter for letter, the cursor typed, what fits nothing told."""

import pickle
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from lakehouse.errors import SourceError
from lakehouse.scaffold.table import registry_file
from lakehouse.sources.opening import opened
from lakehouse.sources.probe import within
from lakehouse.sources.reader import Bound, Wanted
from lakehouse.sources.relation import CursorKind
from lakehouse.sources.rest.part import RestPart
from lakehouse.sources.rest.rows import Presence, Shape
from tests.fake_api import FakeApi, Record

AT = datetime(2026, 3, 1, tzinfo=UTC)
SHAPE = Shape({"id": "id", "at": "at", "city": "store.city"}, ("id",), "at", CursorKind.MOMENT)
WANTED = Wanted(
    "records", columns=["id", "updated_at", "amount"], key=["id"], cursor="updated_at", doing="ingesting answers",
    options={"paging": "cursor", "records": "data.items", "next": "meta.next", "since": "updated_after"},
)  # fmt: skip


def record(number: int, hours: float = 0, **more: object) -> Record:
    return {"id": number, "updated_at": (AT + timedelta(hours=hours)).isoformat(), "amount": 1.5, **more}


def test_values_stay_as_they_are_written_and_what_nobody_declared_is_kept() -> None:
    found = SHAPE.batch([
        b'{"id": 1, "at": "2026-03-01T00:00:00Z", "store": {"city": 1.50}, "n": [1e2]}', b'{"id": 2, "at": "soon"}', b"7"
    ]).to_pylist()  # fmt: skip
    assert found[0] == {"id": "1", "at": AT, "city": "1.50", "other_fields": '{"n":[1e2]}', "source_line": 0,
                        "_misfits": None}  # fmt: skip
    assert (found[1]["at"], found[1]["_misfits"]) == (None, '{"at": "soon"}')
    assert found[2]["id"] is None
    assert "no JSON object" in found[2]["_misfits"]


def test_keys_tell_records_apart_where_they_are_whole() -> None:
    assert SHAPE.key_of(b'{"id": 1}') == SHAPE.key_of(b'{ "id":1, "at":2}') == "[1]"
    assert SHAPE.key_of(b'{"id": null}') is SHAPE.key_of(b"[]") is Shape({"a": "a"}).key_of(b'{"a": 1}') is None


def test_rows_without_a_cursor_and_those_with_another_one_are_within_each_bound() -> None:
    at = pa.array([AT, AT + timedelta(hours=1), AT + timedelta(hours=2), None], pa.timestamp("us", "UTC"))
    batch = pa.RecordBatch.from_pydict({"at": at})
    bound = Bound("at", AT + timedelta(hours=1), AT + timedelta(hours=2))
    assert within(batch, bound, with_no_cursor=True).column("at").to_pylist() == [AT + timedelta(hours=1), None]
    assert within(batch, None, with_no_cursor=True) == batch


def test_a_field_that_none_of_many_records_has_is_told_and_null_is_a_value() -> None:
    presence = Presence(["a", "b", "c.d"])
    presence.add([b'{"a": null, "c": {"d": 1}}', b"7", *[b"{}"] * 17])
    assert presence.vanished() == []
    presence.add([b'{"c": {}}'])
    assert presence.vanished() == ["b"]


def test_a_reader_asks_from_its_bound_on_and_reads_all_only_once(api: FakeApi) -> None:
    api.records = [record(n, n) for n in range(9)]
    with opened("app", api.settings()) as session, session.reader(WANTED) as reader:
        assert (reader.relation.key, reader.relation.column("updated_at").lake_type) == (("id",), "timestamp")
        api.asked.clear()
        rows = [row for part in reader.read(["id"], Bound("updated_at", AT + timedelta(hours=6))) for b in part.batches()
                for row in b.to_pylist()]  # fmt: skip
        assert [row["id"] for row in rows] == ["6", "7", "8"]
        assert {asked["updated_after"] for asked in api.asked} == {"2026-03-01T05:59:59Z"}
        before = len(api.asked)
        keys = [row for part in reader.read_keys(["id"], None) for b in part.batches() for row in b.to_pylist()]
        assert [row["id"] for row in keys] == [str(n) for n in range(9)]
        assert len(api.asked) == before + 3
        wanted = pa.table({"id": ["2", "7"]})
        late = [row["id"] for part in reader.read(["id", "amount"], keys=wanted) for b in part.batches()
                for row in b.to_pylist()]  # fmt: skip
        assert late == ["2", "7"]
        assert len(api.asked) == before + 3  # what was read for the keys was kept


def test_a_part_travels_to_an_executor_and_shows_no_secret(api: FakeApi) -> None:
    api.records, api.token = [record(1)], "secret-word"
    with opened("app", api.settings(token="secret-word")) as session, session.reader(WANTED) as reader:
        (part,) = reader.read(["id"])
    assert isinstance(part, RestPart)
    assert "secret-word" not in repr(part)
    sent = pickle.loads(pickle.dumps(part))
    assert sent.whole is None
    assert [batch.column("id").to_pylist() for batch in sent.batches()] == [["1"]]


def test_a_field_that_vanished_stops_the_read_and_says_what_to_do(api: FakeApi) -> None:
    api.records = [{"id": n, "updated_at": "2026-03-01"} for n in range(25)]
    with opened("app", api.settings()) as session:
        with (
            session.reader(WANTED) as reader,
            pytest.raises(SourceError, match="none of the 25 records of records has amount"),
        ):
            list(reader.read(["id"])[0].batches())
        sparse = Wanted(**{**WANTED.__dict__, "options": {**WANTED.options, "sparse": "amount, other"}})
        with session.reader(sparse) as reader:
            assert sum(batch.num_rows for batch in reader.read(["id"])[0].batches()) == 25


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"cursor": None}, "option 'since' is updated_after, and the table has no cursor"),
        ({"columns": []}, "declares no columns"),
        ({"options": {"pagign": "page"}}, "option 'pagign' of `source:`"),
    ],
)
def test_what_a_registry_file_cannot_mean_is_refused(api: FakeApi, change: dict[str, object], why: str) -> None:
    wanted = Wanted(**{**WANTED.__dict__, **change})
    with opened("app", api.settings()) as session, pytest.raises(SourceError, match=why), session.reader(wanted):
        pass


@pytest.mark.parametrize(
    ("paging", "options"),
    [
        ("cursor", ", paging: cursor, next: meta.next"),
        ("link", ", paging: link, next: meta.next"),
        ("page", ", total: meta.total"),
        ("header", "paging: link"),
    ],
)
def test_a_first_contract_is_written_from_the_first_page(api: FakeApi, paging: str, options: str) -> None:
    api.paging = paging
    api.records = [record(n, n, note="x") if n else record(n, who={"email": "a@b"}) for n in range(9)]
    with opened("app", api.settings()) as session:
        assert session.relations() == []
        text = registry_file(session.describe("records"), "app", "records")
    records = "" if paging == "header" else "records: data.items"
    assert f"options: {{{records}{options}, sparse: 'who.email,note'}}" in text
    assert "key: [id]\ncursor: updated_at" in text
    assert "who_email: {source: who.email}" in text


def test_a_page_without_a_list_gives_no_contract(api: FakeApi) -> None:
    api.paging, api.records = "none", []
    with opened("app", api.settings()) as session, pytest.raises(SourceError, match="has no /v1/other"):
        session.describe("other")
