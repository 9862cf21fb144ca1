"""What of a message stands in its row."""

import io
import json
from datetime import UTC, datetime
from typing import Any

import fastavro
import pytest

from lakehouse.paths import OFFSET, ORDER, PARTITION
from lakehouse.sources.kafka.messages import HEADERS, KEY, TIME, Reading, Rows
from lakehouse.sources.kafka.options import Options
from lakehouse.sources.reader import MISFITS, OPERATION, RECORD
from lakehouse.sources.records import OTHERS
from tests.unit.sources.kafka.fake_kafka import FakeMessage

SCHEMA = {"type": "record", "name": "e", "fields": [{"name": "id", "type": "string"}, {"name": "n", "type": "double"}]}
NAMES = {"id": "id", "n": "n", "city": "store.city"}


def rows(*messages: FakeMessage, written: Any = None, **options: str) -> list[dict[str, Any]]:
    """The rows, without what is NULL."""
    schemas = {} if written is None else {7 if "wire" in options else None: json.dumps(written)}
    reading = Reading(Options.model_validate(options), NAMES, schemas)
    found = Rows(reading).batch(messages).to_pylist()
    return [{name: value for name, value in row.items() if value is not None} for row in found]


def row(message: FakeMessage, written: Any = None, **options: str) -> dict[str, Any]:
    (found,) = rows(message, written=written, **options)
    return {name: found[name] for name in (*NAMES, OTHERS, OPERATION, MISFITS) if name in found}


def avro(number: float = 2.5) -> bytes:
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(SCHEMA), {"id": "a", "n": number})
    return stream.getvalue()


def test_a_row_has_what_stands_beside_the_value_and_where_the_message_stands() -> None:
    (found,) = rows(FakeMessage(7, b"{}", b"k", 3, marked=[("a", b"1"), ("b", b"\xff"), ("a", None)]))
    assert found == {
        KEY: "k", TIME: datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC), HEADERS: '{"a": ["1", null], "b": ["base64:/w=="]}',
        PARTITION: 3, OFFSET: 7, ORDER: 7 * 65_536 + 3, OPERATION: "upsert",
    }  # fmt: skip


def test_order_grows_with_the_offset_and_is_different_everywhere() -> None:
    found = rows(*(FakeMessage(at, number=number) for number in (0, 1, 65_535) for at in range(3)))
    orders = [one[ORDER] for one in found]
    assert len(set(orders)) == 9
    assert all(orders[place : place + 3] == sorted(orders[place : place + 3]) for place in (0, 3, 6))


def test_a_key_that_is_no_text_is_told_by_its_bytes_and_no_time_is_none() -> None:
    (found,) = rows(FakeMessage(named=b"\xff", when=(0, -1)))
    assert (found[KEY], TIME in found) == ("base64:/w==", False)


def test_fields_are_as_they_are_written() -> None:
    value = b'{"id": 1.50, "store": {"city": "Ulm", "zip": 7.0}, "x": [1.0]}'
    assert row(FakeMessage(content=value)) == {
        "id": "1.50", "city": "Ulm", OTHERS: '{"store":{"city": "Ulm", "zip": 7.0},"x":[1.0]}', OPERATION: "upsert",
    }  # fmt: skip


@pytest.mark.parametrize("value", [b"", b'{"id": "secret', b"[1]", b"\xff", b'"secret"'])
def test_what_is_no_object_is_broken_and_nothing_of_it_is_told(value: bytes) -> None:
    found = row(FakeMessage(7, value, b"a"), key_field="id")
    assert list(json.loads(found.pop(MISFITS))) == [RECORD]
    assert found == {OPERATION: "upsert"}


@pytest.mark.parametrize(
    ("key", "options", "fields"),
    [
        (b"a", {"key_field": "id"}, {"id": "a"}),
        (b'{"id": 1.50, "store": {"city": "Ulm"}}', {}, {"id": "1.50", "city": "Ulm"}),
        (b"a", {}, {}),
        (None, {"key_field": "id"}, {}),
    ],
)
def test_a_message_without_a_value_deletes_what_its_key_names(
    key: bytes | None, options: dict[str, str], fields: dict[str, str]
) -> None:
    assert row(FakeMessage(content=None, named=key), **options) == {**fields, OPERATION: "delete"}


def test_the_key_gives_a_field_that_the_value_lacks_and_no_other() -> None:
    lacking, having = rows(
        FakeMessage(content=b"{}", named=b"k"), FakeMessage(content=b'{"id": "v"}', named=b"k"), key_field="id"
    )
    assert (lacking["id"], having["id"]) == ("k", "v")


def test_avro_is_read_by_its_schema_with_and_without_the_head_of_confluent() -> None:
    assert row(FakeMessage(content=avro()), SCHEMA, format="avro", schema="x") == {
        "id": "a", "n": "2.5", OPERATION: "upsert"}  # fmt: skip
    wired = FakeMessage(content=b"\0\0\0\0\7" + avro())
    assert row(wired, SCHEMA, format="avro", schema="x", wire="confluent")["n"] == "2.5"
    assert row(FakeMessage(content=b'\0\0\0\0\7{"n": 1.0}'), wire="confluent")["n"] == "1.0"


def test_avro_of_another_schema_is_broken_and_not_taken_for_this_one() -> None:
    """Its bytes would be a record of this one, too, and say something else."""
    for head, why in (
        (b"\0\0\0\0\3", "it says schema 3, which the registry file does not name"),
        (b"", "it says no number"),
    ):
        found = row(FakeMessage(content=head + avro()), SCHEMA, format="avro", schema="x", wire="confluent")
        assert why in json.loads(found[MISFITS])[RECORD]


def test_the_content_of_a_schema_decides_rows() -> None:
    options = Options.model_validate({"format": "avro", "schema": "x"})
    one, other = (Reading(options, NAMES, {None: text}).deciding for text in ("{}", "[]"))
    assert one["format"] == other["format"] == "avro"
    assert one["schema"] != other["schema"]


@pytest.mark.parametrize(
    ("value", "why"), [(b"\2", "EOFError"), (avro() + b"!!", "2 bytes before the value"), (b"", "EOFError")]
)
def test_what_is_no_avro_of_the_schema_is_broken(value: bytes, why: str) -> None:
    found = row(FakeMessage(7, value), SCHEMA, format="avro", schema="x")
    assert why in json.loads(found[MISFITS])[RECORD]
