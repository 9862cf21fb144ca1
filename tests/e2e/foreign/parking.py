"""Bays of a car park, which send messages in Avro."""

import io
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from random import Random
from typing import Any, ClassVar

import fastavro
from confluent_kafka import KafkaError, Message, Producer

from tests.e2e.foreign.common import Row, Truth, at

_WIRE = b"\x00\x00\x00\x00\x07"  # what Confluent's programs put before a message: a zero, and the number of the schema


class Parking:
    """Bays of a car park, whose sensors write Avro as Confluent's programs frame it; no value takes a bay away."""

    SCHEMA: ClassVar[Row] = {"type": "record", "name": "Bay", "namespace": "city.parking", "fields": [
        {"name": "bay", "type": "string"},
        {"name": "state", "type": {"type": "enum", "name": "State", "symbols": ["FREE", "TAKEN", "FAULT"]}},
        {"name": "since", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "day", "type": {"type": "int", "logicalType": "date"}},
        {"name": "tariff", "type": ["null", {"type": "bytes", "logicalType": "decimal", "precision": 6, "scale": 2}]},
        {"name": "sensor", "type": {"type": "record", "name": "Sensor", "fields": [
            {"name": "id", "type": "string"}, {"name": "volts", "type": "double"}]}},
        {"name": "labels", "type": {"type": "map", "values": "string"}},
    ]}  # fmt: skip

    def __init__(self, servers: str, topic: str) -> None:
        self._topic, self._producer = topic, Producer({"bootstrap.servers": servers, "log_level": 0})
        self._log: list[tuple[int, int, str, Row | bytes | None, int]] = []
        self._random = Random(7)

    def play(self, day: int) -> None:
        """What the bays send on the day; it returns when the broker has it."""
        (self._first, self._second, self._third)[day - 1]()
        assert self._producer.flush(30) == 0

    def _first(self) -> None:
        for n in range(40):
            self._send(n % 25, self._bay(n % 25, n / 10))
        self._send(3, None)
        self._send(3, self._bay(3, 9))  # taken away, and there again
        self._send(4, None)
        self._send(5, b"hello")  # neither framed nor Avro
        self._send(6, _WIRE + b"\x04B")  # cut off
        self._send(7, self._bay(7, 9, volts=99.0))  # breaks a check
        self._send(99, None)  # of a bay that nobody knows

    def _second(self) -> None:
        for n in range(20, 35):
            self._send(n, self._bay(n, 24))
        for _ in range(3):
            self._send(8, self._bay(8, 25, tariff=Decimal("0.05")))  # the same thrice
        self._send(9, self._bay(9, -90))  # late, and yet what came last
        self._send(7, self._bay(7, 26))  # it is right again
        self._send(10, self._bay(10, 26, volts=-1.0))
        self._send(11, self._bay(11, 26, volts=-1.0))
        self._send(12, None)
        self._send(13, b"")

    def _third(self) -> None:
        self._send(10, None)  # what was rejected leaves
        self._send(11, self._bay(11, 50, volts=98.0))  # it stays wrong
        self._send(4, self._bay(4, 51))
        self._send(14, self._bay(14, 52))
        self._send(14, None)
        self._send(15, b'{"bay": "B15"}')
        for _ in range(120):
            n = self._random.randrange(16, 35)
            what = self._bay(n, 60, volts=self._random.choice((0.5, 4.5, 5.5)))
            self._send(n, self._random.choices((what, None, b"\xff\x00"), (7, 2, 1))[0])

    def _bay(self, n: int, hours: float, volts: float = 3.25, **more: Any) -> Row:
        when = at(hours).replace(microsecond=self._random.randrange(1000) * 1000)
        return {
            "bay": f"B{n}",
            "state": ("FREE", "TAKEN", "FAULT")[n % 3],
            "since": when,
            "day": when.date(),
            "tariff": Decimal("12.50") if n % 2 else None,
            "sensor": {"id": f"s{n}", "volts": volts},
            "labels": {"lift": "no", "straße": f"{n}"} if n % 4 else {},
            **more,
        }

    def _send(self, n: int, value: Row | bytes | None) -> None:
        content = value if not isinstance(value, dict) else None
        if isinstance(value, dict):
            body = io.BytesIO()
            fastavro.schemaless_writer(body, self.SCHEMA, value)
            content = _WIRE + body.getvalue()
        key = f"B{n}"
        self._producer.produce(self._topic, content, key=key, partition=n % 3, on_delivery=self._delivered(key, value))

    def _delivered(self, key: str, value: Row | bytes | None) -> Callable[[KafkaError | None, Message], None]:
        def noted(error: KafkaError | None, message: Message) -> None:
            assert error is None, error
            _, sent = message.timestamp()
            self._log.append((message.partition() or 0, message.offset() or 0, key, value, sent))

        return noted

    def truth(self) -> Truth:
        """The last message of each bay; one that cannot be read is of no bay."""
        rows: dict[Any, Row] = {}
        rejected: set[Any] = set()
        for partition, offset, key, value, sent in self._log:
            if isinstance(value, bytes):
                rejected.add((partition, offset))
                continue
            rows.pop(key, None)
            rejected.discard(key)
            if value is None:
                continue
            if not 0 <= value["sensor"]["volts"] <= 5:
                rejected.add(key)
                continue
            rows[key] = {name: value[name] for name in ("bay", "state", "since", "day", "tariff", "labels")} | {
                "sensor_id": value["sensor"]["id"],
                "sensor_volts": value["sensor"]["volts"],
                "other_fields": None,
                "message_key": key,
                "message_time": datetime.fromtimestamp(sent / 1000, UTC),
                "message_headers": None,
                "source_partition": partition,
                "source_offset": offset,
            }
        return rows, rejected
