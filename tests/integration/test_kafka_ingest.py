"""A topic into raw and silver: each message once, with its partition and offset, nothing missed, nothing lost in silence."""

import io
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import fastavro
import pyarrow as pa
import pytest
from confluent_kafka.cimpl import NewPartitions

from lakehouse.orchestrate.runs import Status
from lakehouse.paths import raw as raw_name
from lakehouse.raw.gather import FEW
from lakehouse.raw.state import last_state
from lakehouse.scaffold.table import registry_file
from lakehouse.sources.kafka import reader
from lakehouse.sources.kafka.part import KafkaPart
from lakehouse.sources.kafka.position import Position
from lakehouse.sources.kafka.source import opened
from scripts.services.kafka import Kafka
from scripts.services.process import wait_until
from tests.conftest import TestLake
from tests.integration.kafka_topics import Broker, as_bytes
from tests.integration.loads import drop, dying, run

_EVENTS = """
load: arrivals
columns:
  event_id: {}
  amount: {type: "decimal(10,2)"}
  city: {source: store.city}
  at: timestamp
"""
_BY_ID = _EVENTS.replace("load: arrivals\n", "load: arrivals\nkey: [event_id]\n")


@pytest.fixture
def broker(kafka_service: Kafka) -> Iterator[Broker]:
    found = Broker(kafka_service)
    yield found
    for name in list(found.topics):
        found.remove(name)


@pytest.fixture
def lake(make_lake: Callable[[], TestLake], broker: Broker) -> TestLake:
    return make_lake().with_source("bus", broker.settings())


@pytest.fixture
def name(lake: TestLake, broker: Broker) -> Iterator[str]:
    """A topic with two partitions, and the table that it becomes."""
    found = f"k{uuid4().hex[:10]}"
    broker.make(found)
    yield found
    drop(lake, found)


def register(lake: TestLake, name: str, more: str = _EVENTS, options: str = "", topic: str = "") -> None:
    lake.register(name, f"source: {{connection: bus, relation: '{topic or name}'{options}}}\n{more}")


def failure(lake: TestLake, name: str) -> str:
    """Why raw could not be loaded; it is as it was."""
    before = lake.catalog.find(raw_name(name))
    done = lake.run(f"raw.{name}")[f"raw.{name}"]
    after = lake.catalog.find(raw_name(name))
    assert done.status is Status.FAILED
    assert (before and before.head) == (after and after.head)
    return str(done.error)


def event(number: int, amount: Any = "1.50", **more: Any) -> dict[str, Any]:
    at = f"2026-11-01T10:00:{number % 60:02}Z"
    return {"event_id": f"e{number}", "amount": amount, "store": {"city": "Ulm"}, "at": at, **more}


def ids(lake: TestLake, name: str, layer: str = "silver") -> list[str]:
    return [row[0] for row in lake.rows(f"{layer}.{name}", "event_id")]


def places(lake: TestLake, name: str) -> list[tuple[int, int]]:
    return [(row[0], row[1]) for row in lake.rows(f"raw.{name}", "source_partition, source_offset", order="1, 2")]


def position(lake: TestLake, name: str) -> Mapping[int, int]:
    state = last_state(lake.catalog.find(raw_name(name)))
    assert state is not None
    return Position.model_validate_json(state.position or "").next


def test_messages_are_read_once_and_each_row_knows_its_partition_and_offset(
    lake: TestLake, broker: Broker, name: str
) -> None:
    broker.write(name, event(1, 2.50), event(2, more=[1.0]), key=b"k", timestamp=1_795_000_000_123)
    broker.write(
        name, event(3), partition=1, headers=[("trace", b"a"), ("trace", b"b"), ("raw", b"\xff"), ("no", None)]
    )
    register(lake, name)
    assert run(lake, name).rows_read == 3
    columns = "event_id, amount, city, other_fields, source_partition, source_offset, source_order, message_key"
    assert lake.rows(f"raw.{name}", columns) == [
        ("e1", "2.5", "Ulm", None, 0, 0, 0, "k"),
        ("e2", "1.50", "Ulm", '{"more":[1.0]}', 0, 1, 2**16, "k"),
        ("e3", "1.50", "Ulm", None, 1, 0, 1, None),
    ]
    told = lake.rows(f"silver.{name}", "CAST(message_time AS string), message_headers, CAST(amount AS string)")
    assert told[0] == ("2026-11-18 11:06:40.123", None, "2.50")
    assert lake.rows(f"silver.{name}", "message_headers", "event_id = 'e3'") == [
        ('{"trace": ["a", "b"], "raw": ["base64:/w=="], "no": [null]}',)
    ]
    again = lake.run(f"raw.{name}", f"silver.{name}")
    assert {done.status for done in again.values()} == {Status.UNCHANGED}
    broker.write(name, event(4))
    assert run(lake, name).rows_read == 1
    assert ids(lake, name) == ["e1", "e2", "e3", "e4"]
    assert position(lake, name) == {0: 3, 1: 1}


def test_what_was_aborted_is_not_seen_and_what_is_open_comes_when_it_is_committed(
    lake: TestLake, broker: Broker, name: str
) -> None:
    producer = broker.producer(**{"transactional.id": name})
    producer.init_transactions(30)
    register(lake, name)

    def transaction(*numbers: int) -> None:
        producer.begin_transaction()
        for number in numbers:
            producer.produce(name, as_bytes(event(number)), partition=0)
        producer.flush(20)

    transaction(1, 2)
    producer.commit_transaction(20)
    transaction(3, 4)
    producer.abort_transaction(20)
    run(lake, name)
    assert ids(lake, name) == ["e1", "e2"]
    assert position(lake, name) == {0: 6, 1: 0}
    transaction(5)
    broker.write(name, event(6))  # of no transaction, but behind one that is open
    assert run(lake, name).status is Status.UNCHANGED
    producer.commit_transaction(20)
    assert run(lake, name).rows_read == 2
    assert ids(lake, name) == ["e1", "e2", "e5", "e6"]
    transaction(7)
    producer.abort_transaction(20)
    run(lake, name)
    assert run(lake, name).status is Status.UNCHANGED
    assert ids(lake, name, "raw") == ["e1", "e2", "e5", "e6"]


@pytest.mark.parametrize(("options", "key"), [(", options: {key_field: event_id}", b"e1"), ("", b'{"event_id": "e1"}')])
def test_a_message_without_a_value_deletes_the_row_that_its_key_names(
    lake: TestLake, broker: Broker, name: str, options: str, key: bytes
) -> None:
    broker.write(name, event(1), event(2))
    register(lake, name, _BY_ID, options)
    run(lake, name)
    broker.write(name, None, key=key)
    run(lake, name)
    assert ids(lake, name) == ["e2"]
    assert lake.rows(f"raw.{name}", "_op, event_id", "_op = 'delete'") == [("delete", "e1")]
    broker.write(name, event(1, "7.00"), event(3))
    broker.write(name, None, key=key.replace(b"1", b"3"))
    run(lake, name)
    assert lake.rows(f"silver.{name}", "event_id, CAST(amount AS string)") == [("e1", "7.00"), ("e2", "1.50")]


def test_a_value_that_cannot_be_read_goes_to_quarantine_with_its_place_and_the_rest_loads(
    lake: TestLake, broker: Broker, name: str
) -> None:
    broker.write(name, event(1), b'{"event_id": "secret', event(2), b"[1]", event(3, "much"))
    broker.write(name, b"\xff\xfe", event(4), partition=1)
    register(lake, name)
    assert run(lake, name).rows_read == 7
    assert ids(lake, name) == ["e1", "e2", "e4"]
    where = ", ".join(f"CAST(get_json_object(row, '$.source_{part}') AS int)" for part in ("partition", "offset"))
    told = lake.rows(f"quarantine.{name}", f"{where}, reason", order="1, 2")
    assert [row[:2] for row in told] == [(0, 1), (0, 3), (0, 4), (1, 0)]
    assert "no JSON object: Input data was truncated" in told[0][2]
    assert "amount: 'much' is not a decimal(10,2)" in told[2][2]
    assert "secret" not in json.dumps(lake.rows(f"raw.{name}"), default=str)


@pytest.mark.parametrize("wire", [b"", b"\0\0\0\0\7"])
def test_avro_brings_the_same_rows(lake: TestLake, broker: Broker, name: str, tmp_path: Path, wire: bytes) -> None:
    schema = {"type": "record", "name": "event", "fields": [
        {"name": "event_id", "type": "string"}, {"name": "amount", "type": ["null", "double"]},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}}]}  # fmt: skip
    (tmp_path / "event.avsc").write_text(json.dumps(schema))

    def written(number: int) -> bytes:
        stream = io.BytesIO(wire)
        stream.seek(len(wire))
        record = {"event_id": f"e{number}", "amount": number + 0.5, "at": 1_790_000_000_000}
        fastavro.schemaless_writer(stream, fastavro.parse_schema(schema), record)
        return stream.getvalue()

    broker.write(name, written(1), b"\1", written(2), written(3) + b"!")
    schema_option = f"'{'7=' if wire else ''}{tmp_path}/event.avsc'"
    options = f", options: {{format: avro, schema: {schema_option}, wire: {'confluent' if wire else 'plain'}}}"
    register(lake, name, _EVENTS.replace("  city: {source: store.city}\n", ""), options)
    run(lake, name)
    found = lake.rows(f"silver.{name}", "event_id, CAST(amount AS string), CAST(at AS string)")
    assert found == [("e1", "1.50", "2026-09-21 14:13:20"), ("e2", "2.50", "2026-09-21 14:13:20")]
    assert [row[0] for row in lake.rows(f"quarantine.{name}", "get_json_object(row, '$.source_offset')")] == ["1", "3"]


def test_a_topic_that_was_made_anew_stops_until_a_full_refresh(lake: TestLake, broker: Broker, name: str) -> None:
    broker.write(name, event(1), event(2))
    register(lake, name)
    run(lake, name)
    broker.remove(name)
    missing = failure(lake, name)
    assert f"ingesting {name}: Kafka at {broker.servers} has no topic '{name}'" in missing
    broker.make(name)
    broker.write(name, event(3), event(4), event(5))
    told = failure(lake, name)
    assert "was made anew: its id is " in told
    assert "--full-refresh" in told
    run(lake, name, full_refresh=True)
    assert ids(lake, name) == ["e3", "e4", "e5"]


def test_messages_that_were_thrown_away_unread_stop_the_table_until_that_is_accepted(
    lake: TestLake, broker: Broker, name: str
) -> None:
    broker.write(name, *map(event, range(3)))
    register(lake, name)
    run(lake, name)
    broker.forget(name, 0, 3)
    assert run(lake, name).status is Status.UNCHANGED, "what was read may go"
    broker.write(name, *map(event, range(3, 8)))
    broker.forget(name, 0, 6)
    told = failure(lake, name)
    assert "no longer holds up to 3 messages that were not read: partition 0: 3 to 6" in told
    assert "options: {lost: accept}" in told
    register(lake, name, options=", options: {lost: accept}")
    assert "up to 3 messages left the topic before they were read" in run(lake, name).notes
    assert ids(lake, name) == ["e0", "e1", "e2", "e6", "e7"]


def test_messages_that_are_thrown_away_while_they_are_read_stop_the_table(
    lake: TestLake, broker: Broker, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The read ends with an error; the next attempt, for which they are gone already, says how many they are."""
    broker.write(name, event(0))
    register(lake, name)
    run(lake, name)
    broker.write(name, *map(event, range(1, 6)))
    whole, reads = KafkaPart.batches, count()

    def meanwhile(self: KafkaPart) -> Iterator[pa.RecordBatch]:
        next(reads)
        broker.forget(name, 0, 4)
        yield from whole(self)

    with monkeypatch.context() as patched:
        patched.setattr(KafkaPart, "batches", meanwhile)
        assert "no longer holds up to 3 messages that were not read: partition 0: 1 to 4" in failure(lake, name)
    assert next(reads) == 1
    assert ids(lake, name) == ["e0"]


def test_a_new_partition_is_read_from_its_beginning(lake: TestLake, broker: Broker, name: str) -> None:
    broker.write(name, event(1))
    register(lake, name)
    run(lake, name)
    broker.admin.create_partitions([NewPartitions(name, 3)])[name].result()
    wait_until(lambda: len(broker.admin.list_topics(name, timeout=5).topics[name].partitions) == 3, 20, "a partition")
    broker.write(name, event(2), event(3), partition=2)
    assert run(lake, name).rows_read == 2
    assert places(lake, name) == [(0, 0), (2, 0), (2, 1)]
    assert position(lake, name) == {0: 1, 1: 0, 2: 2}


def test_many_messages_are_read_in_parts_by_the_executors(lake: TestLake, broker: Broker, name: str) -> None:
    many = FEW // 2 + 1
    for partition in (0, 1):
        broker.write(name, *map(event, range(partition * many, (partition + 1) * many)), partition=partition)
    register(lake, name)
    assert lake.run(f"raw.{name}")[f"raw.{name}"].rows_read == 2 * many
    counted = "count(*), count(DISTINCT source_order), count(DISTINCT event_id), max(source_offset)"
    assert lake.rows(f"raw.{name}", counted) == [(2 * many, 2 * many, 2 * many, many - 1)]
    raw = lake.catalog.find(raw_name(name))
    assert raw is not None
    assert len(raw.data_file_paths()) == 2


def test_when_what_is_read_changes_all_that_is_there_is_read_again_and_counts_once(
    lake: TestLake, broker: Broker, name: str
) -> None:
    broker.write(name, *(event(n, more=n) for n in range(4)))
    register(lake, name)
    run(lake, name)
    broker.forget(name, 0, 2)
    changed = _EVENTS + "  more: bigint\n"
    register(lake, name, changed)
    run(lake, name)
    assert lake.rows(f"silver.{name}", "event_id, more") == [("e0", None), ("e1", None), ("e2", 2), ("e3", 3)]
    broker.write(name, event(4), event(5))
    broker.forget(name, 0, 5)
    register(lake, name, changed + "  other: {}\n")
    assert "no longer holds up to 1 messages that were not read: partition 0: 4 to 5" in failure(lake, name)
    broker.remove(name)
    broker.make(name)
    assert "was made anew" in failure(lake, name)


def test_a_run_that_dies_while_it_reads_or_after_it_committed_loses_and_doubles_nothing(
    lake: TestLake, broker: Broker, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten random points: a reader that fails after some batches, and a commit whose run never heard of it."""
    random, numbers, whole = Random(7), count(), KafkaPart.batches
    monkeypatch.setattr(reader, "_WORTH", 3)  # so that a partition is read in parts
    register(lake, name)
    truth: list[str] = []
    for _ in range(10):
        for _ in range(random.randint(1, 3)):
            written = [next(numbers) for _ in range(random.randint(1, 6))]
            broker.write(name, *map(event, written), partition=random.randint(0, 1))
            truth += [f"e{number}" for number in written]
        breaks_off = dying(whole, after=random.randint(0, 2))
        with monkeypatch.context() as patched:
            patched.setattr(KafkaPart, "batches", breaks_off)
            assert lake.run(f"raw.{name}")[f"raw.{name}"].status is Status.FAILED
        if random.random() < 0.5:
            lake.run(f"raw.{name}")  # and is gone before silver
        run(lake, name)
        assert Counter(ids(lake, name, "raw")) == Counter(truth)
        assert ids(lake, name) == sorted(truth)
    assert len(set(places(lake, name))) == len(truth)


def test_a_topic_is_described_by_its_latest_messages_and_scaffolded(broker: Broker, lake: TestLake, name: str) -> None:
    broker.write(name, {"id": 1, "price": 1.50, "when": "2026-11-01T10:00:00Z", "at": {"city": "Ulm"}}, None, b"no")
    with opened("bus", broker.settings(), ()) as session:
        assert name in session.relations()
        assert not any(topic.startswith("__") for topic in session.relations())
        text = registry_file(session.describe(name), "bus", name)
    likely = [("id", "bigint"), ("price", "decimal(18,2)"), ("when", "timestamp"), ("at_city", "at.city")]
    for column, kind in likely:
        assert any(line.strip().startswith(f"{column}: {{") and kind in line for line in text.splitlines()), text
    lake.register(name, text)
    assert run(lake, name).rows_read == 3
    assert lake.rows(f"silver.{name}", "id, at_city") == [(1, "Ulm")]


def test_a_first_contract_knows_which_field_the_keys_of_messages_are(broker: Broker, lake: TestLake, name: str) -> None:
    for one in ("a", "b"):
        broker.write(name, {"n": 1, "code": one}, key=one.encode())
    with opened("bus", broker.settings(), ()) as session:
        text = registry_file(session.describe(name), "bus", name)
    assert "options: {key_field: code}" in text
    assert "key: [code]" in text
    lake.register(name, text)
    run(lake, name)
    broker.write(name, None, key=b"a")
    broker.write(name, None)
    run(lake, name)
    assert lake.rows(f"silver.{name}", "code") == [("b",)]
    assert lake.rows(f"quarantine.{name}", "rule") == [("missing_key",)]


def test_avro_is_seen_and_its_schema_asked_for(broker: Broker, lake: TestLake, name: str) -> None:
    broker.write(name, b"\0\0\0\0\7\2a")
    with opened("bus", broker.settings(), ()) as session:
        text = registry_file(session.describe(name), "bus", name)
    assert f"options: {{format: avro, wire: confluent, schema: '7=schemas/{name}.avsc'}}" in text
    lake.register(name, text)
    assert f"option 'schema' is schemas/{name}.avsc" in failure(lake, name)


def test_what_is_asked_of_a_topic_that_it_cannot_give_is_refused(lake: TestLake, broker: Broker, name: str) -> None:
    for more, options, told in (
        ("load: arrivals\n", "", "declares no columns"),
        (_EVENTS, ", options: {format: xml}", "option 'format' of `source:` is 'xml'"),
        (_EVENTS, ", options: {format: avro}", "option 'schema' is not there"),
        (_EVENTS, ", options: {format: avro, schema: none.avsc}", "is no Avro schema: [Errno 2] No such file"),
        (_EVENTS.replace("load: arrivals\n", ""), "", "Write `load: arrivals`"),
    ):
        register(lake, name, more, options)
        assert told in failure(lake, name)
    register(lake, name, topic=name + "x")
    assert f"Did you mean '{name}'?" in failure(lake, name)
