"""A collection in parts: what each asks for and brings, and the looks that tell that nothing changed."""

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from lakehouse.errors import SourceError
from lakehouse.sources import probe
from lakehouse.sources.documents import part as part_module
from lakehouse.sources.documents import source as source_module
from lakehouse.sources.documents.client import Range
from lakehouse.sources.documents.reader import DocumentsReader
from lakehouse.sources.documents.settings import Settings
from lakehouse.sources.documents.source import opened
from lakehouse.sources.opening import opened as opened_by_kind
from lakehouse.sources.reader import COVERED, MISFITS, Bound, Wanted
from lakehouse.sources.relation import CursorKind
from tests.unit.sources.documents.fakes import TAKEN_AT, FakeDocuments, settings

AT = datetime(2026, 3, 1, tzinfo=UTC)
COLUMNS = ["id", "city", "updated_at", "other_fields"]
WANTED = Wanted(
    "orders",
    {"_id": "id", "store.city": "city"},
    ["_id", "store.city", "updated_at"],
    "updated_at",
    doing="ingesting orders",
)
ORDERS: list[dict[str, Any]] = [
    {"_id": 0, "updated_at": AT, "store": {"city": "Ulm"}},
    {"_id": 1, "updated_at": AT + timedelta(days=1)},
    {"_id": 2, "updated_at": "soon", "note": 1},
    {"_id": 5},
]


@contextmanager
def reading(client: FakeDocuments, wanted: Wanted = WANTED, **more: Any) -> Iterator[DocumentsReader]:
    with source_module.DocumentsSession(settings(**more), client).reader(wanted) as found:
        yield found


def rows(parts: Any) -> list[dict[str, Any]]:
    return [row for part in parts for batch in part.batches() for row in batch.to_pylist()]


def test_parts_bring_each_document_once_in_the_columns_of_the_registry() -> None:
    client = FakeDocuments(*ORDERS)
    with reading(client, parallelism=2) as reader:
        parts = reader.read(COLUMNS)
        assert [part.range for part in parts if isinstance(part, part_module.DocumentsPart)] == [
            Range("number", None, 2), Range("number", 2, None)]  # fmt: skip
        found = rows(parts)
    assert [row["id"] for row in found] == ["0", "1", "2", "5"]
    assert found[0] == {"id": "0", "city": "Ulm", "updated_at": AT, "other_fields": None, MISFITS: None}
    assert found[2][MISFITS] == '{"updated_at": "soon"}'


def test_a_bound_is_one_query_by_the_cursors_name_at_the_source() -> None:
    client = FakeDocuments(*ORDERS)
    wanted = Wanted("orders", {"updated_at": "moved", "_id": "id"}, ["_id"], "updated_at")
    with reading(client, wanted, parallelism=2) as reader:
        (part,) = reader.read(["id", "moved"], Bound("moved", AT + timedelta(hours=1)))
        assert [row["id"] for row in rows([part])] == ["1", "2", "5"]
    asked, fields = client.asked[0]
    assert asked.bound == Bound("updated_at", AT + timedelta(hours=1))
    assert fields == ["_id", "updated_at"]


def test_keys_that_are_ids_are_asked_for_and_others_looked_for_among_all() -> None:
    client = FakeDocuments(*ORDERS)
    with reading(client, parallelism=2) as reader:
        (part,) = reader.read(COLUMNS, keys=pa.table({"id": ["5", "1", "9"]}))
        assert [row["id"] for row in rows([part])] == ["1", "5"]
        assert client.asked[0][0].ids == ["5", "1", "9"]
        found = rows(reader.read(COLUMNS, keys=pa.table({"city": ["Ulm", "Rom"], "id": ["0", "0"]})))
    assert [row["id"] for row in found] == ["0"]
    assert [asked.ids for asked, _ in client.asked[1:]] == [None, None]


def test_keys_come_alone_and_no_read_covers_them() -> None:
    client = FakeDocuments(*ORDERS[:2])
    with reading(client, parallelism=1) as reader:
        found = rows(reader.read_keys(["id"], Bound("updated_at", AT)))
    assert found == [{"id": "0", COVERED: False}, {"id": "1", COVERED: False}]
    assert client.asked[0][1] == ["_id"]


@pytest.mark.parametrize("bound", [None, Bound("updated_at", AT + timedelta(hours=1))], ids=["all", "bound"])
def test_a_look_says_of_the_source_what_it_says_of_raw_with_the_same_rows(bound: Bound | None) -> None:
    client = FakeDocuments(*ORDERS)
    with reading(client) as reader:
        looked = reader.look(COLUMNS, bound, count_keys=True)
    with reading(client) as reader:
        keys = [batch for part in reader.read_keys(["id"], None) for batch in part.batches()]
        held = [batch for part in reader.read(COLUMNS) for batch in part.batches()]
        assert reader.look_of(keys, held, COLUMNS, bound) == looked
        for change in ({"_id": 2, "updated_at": "later"}, {"_id": 2, "updated_at": "soon", "note": 2}):
            client.documents[2] = change
            with reading(client) as again:
                assert again.look(COLUMNS, bound, count_keys=True) != looked


def test_the_load_that_follows_a_look_reads_nothing_again() -> None:
    client, bound = FakeDocuments(*ORDERS), Bound("updated_at", AT)
    with reading(client, parallelism=1) as reader:
        reader.look(COLUMNS, bound, count_keys=False)
        assert [fields for _, fields in client.asked] == [None, ["_id"]]  # rows before keys
        assert len(rows(reader.read(COLUMNS, bound))) == len(rows(reader.read_keys(["id"], None))) == 4
        assert len(client.asked) == 2


def test_of_a_look_at_more_than_fits_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "MOST_KEPT", 10)
    client = FakeDocuments(*ORDERS)
    with reading(client, parallelism=1) as reader:
        reader.look(COLUMNS, None, count_keys=False)
        assert len(rows(reader.read(COLUMNS))) == 4
    assert len(client.asked) == 2


def test_a_part_that_travels_to_an_executor_connects_there_itself_and_shows_no_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    there = FakeDocuments(*ORDERS)

    @contextmanager
    def connect(source: Settings, doing: str) -> Iterator[FakeDocuments]:
        assert (source.where, doing) == (settings().where, "ingesting orders")
        yield there

    monkeypatch.setattr(part_module, "connect", connect)
    with reading(FakeDocuments(), parallelism=1) as reader:
        (part,) = reader.read(COLUMNS)
    assert "secret-word" not in repr(part)
    travelled = pickle.loads(pickle.dumps(part))
    assert travelled.client is None
    assert len(rows([travelled])) == 4


def test_a_cursor_has_the_type_of_most_documents_or_the_one_that_is_said() -> None:
    def kind(*documents: dict[str, Any], **options: str) -> CursorKind | None:
        wanted = Wanted("orders", cursor="v", options=options)
        with reading(FakeDocuments(*documents), wanted) as reader:
            assert [column.name for column in reader.relation.columns] == ["_id", "v", "other_fields"]
            assert reader.floor("v") is None
            assert not reader.slack("v")
            assert reader.repetitive() is None
            return reader.relation.column("v").cursor

    numbers = [{"_id": n, "v": n} for n in range(3)]
    assert kind(*numbers, {"_id": 9, "v": AT}) is CursorKind.INTEGER
    assert kind(numbers[0], {"_id": 9, "v": AT}) is CursorKind.MOMENT
    assert kind() is CursorKind.MOMENT
    assert kind(*numbers, cursor_type="timestamp") is CursorKind.MOMENT
    assert kind(cursor_type="bigint") is CursorKind.INTEGER


def test_two_ids_of_one_text_stop_the_table_without_telling_them() -> None:
    client = FakeDocuments(*ORDERS)
    client.clash = ("string", "whole number")
    with (
        pytest.raises(SourceError, match=r"app.orders has two documents .* one a string, one a whole number; .* Give"),
        reading(client),
    ):
        pass


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (Wanted("order", doing="ingesting o"), r"ingesting o: document database .* has no collection 'order'. Did you mean"),
        (Wanted("orders", options={"sort": "x"}, doing="ingesting o"), r"ingesting o: option 'sort' .* knows cursor_type"),
        (Wanted("orders", options={"cursor_type": "date"}), r"option 'cursor_type' of `source:` is 'date'"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_refused(wanted: Wanted, told: str) -> None:
    with pytest.raises(SourceError, match=told), reading(FakeDocuments(), wanted):
        pass


def test_a_collection_that_may_be_empty_is_taken_for_empty_where_it_was_loaded() -> None:
    client = FakeDocuments()
    client.of_the_missing = None
    with (
        pytest.raises(SourceError, match="has no collection 'emptied', or no document in it"),
        reading(client, replace(WANTED, relation="emptied")),
    ):
        pass
    with reading(client, replace(WANTED, relation="emptied", is_loaded=True)) as reader:
        assert rows(reader.read(COLUMNS)) == []
    client.of_the_missing = False
    with (
        pytest.raises(SourceError, match="has no collection"),
        reading(client, replace(WANTED, relation="x", is_loaded=True)),
    ):
        pass


def test_a_session_shows_what_is_visible_now_and_awaits_no_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def connect(_: Settings) -> Iterator[FakeDocuments]:
        yield FakeDocuments(*ORDERS)

    monkeypatch.setattr(source_module, "connect", connect)
    with opened_by_kind("app", settings()) as session:
        assert not session.one_moment
        assert not session.horizon.has_transactions
        assert session.horizon.at == session.taken_at == TAKEN_AT
    with opened("app", settings(), ()) as session:
        assert session.relations() == session.relations("app") == ["customers", "orders"]
        assert session.relations("other") == []
        assert session.describe("orders").key == ("_id",)
        with pytest.raises(SourceError, match=r"describing order: .* Did you mean 'orders'"):
            session.describe("order")
