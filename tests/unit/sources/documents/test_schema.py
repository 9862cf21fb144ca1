"""What a collection is like, by the registry and by some documents."""

from datetime import UTC, datetime

from bson import Decimal128, ObjectId
from bson.datetime_ms import DatetimeMS

from lakehouse.scaffold.table import likely_cursor
from lakehouse.sources.documents.schema import likely_relation, relation_of
from lakehouse.sources.reader import Wanted
from lakehouse.sources.relation import CursorKind


def test_a_relation_has_its_id_the_declared_fields_the_cursor_and_the_others() -> None:
    wanted = Wanted("orders", {"store.city": "city"}, ["amount", "store.city", "other_fields"], "updatedAt")
    relation, shape = relation_of("app.orders", wanted, CursorKind.MOMENT)
    assert [(column.name, column.lake_type) for column in relation.columns] == [
        ("_id", "string"), ("amount", "string"), ("city", "string"), ("updatedat", "timestamp"),
        ("other_fields", "string")]  # fmt: skip
    assert relation.key == ("_id",)
    assert shape.paths["city"] == ("store", "city")
    assert (shape.cursor, shape.kind) == ("updatedat", CursorKind.MOMENT)


def test_without_a_cursor_all_is_text_and_the_id_has_the_name_that_the_registry_gives() -> None:
    relation, shape = relation_of("app.orders", Wanted("orders", {"_id": "order_id"}, ["_id", "at"]), None)
    assert {column.lake_type for column in relation.columns} == {"string"}
    assert relation.key == ("order_id",)
    assert (shape.cursor, shape.kind) == (None, None)


def test_documents_tell_likely_types_and_a_cursor_by_its_name() -> None:
    documents = [
        {"_id": ObjectId(), "updatedAt": DatetimeMS(n), "price": Decimal128("1.50"), "n": n, "flag": n > 0,
         "store": {"city": "Ulm", "since": datetime(2026, 1, 1, tzinfo=UTC)}, "mixed": n if n else "x",
         "tags": ["a"], "id": n, "other_fields": 1}
        for n in range(3)
    ]  # fmt: skip
    relation = likely_relation("app.orders", documents)
    likely = {c.name: (c.source_name, c.likely.kind if c.likely else "") for c in relation.columns}
    assert likely == {
        "_id": ("_id", ""), "updatedat": ("updatedAt", "timestamp"), "price": ("price", "decimal(18,2)"),
        "n": ("n", "bigint"), "flag": ("flag", "boolean"), "store_city": ("store.city", "string"),
        "store_since": ("store.since", "timestamp"), "mixed": ("mixed", "string"), "tags": ("tags", "string"),
        "id": ("id", "bigint"), "other_fields_2": ("other_fields", "bigint"), "other_fields": ("other_fields", "")
    }  # fmt: skip
    found = likely_cursor(relation)
    assert found is not None
    assert found.name == "updatedat"
