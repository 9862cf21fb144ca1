"""Messages and a consumer without a broker."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaError

from lakehouse.sources.kafka.connection import Client


@dataclass
class FakeMessage:
    """A message, or what the library says instead of one."""

    at: int = 0
    content: Any = b"{}"
    named: Any = None
    number: int = 0
    when: tuple[int, int] = (1, 1_790_000_000_000)
    marked: Any = None
    failed: int | None = None

    def partition(self) -> int:
        return self.number

    def offset(self) -> int:
        return self.at

    def key(self) -> Any:
        return self.named

    def value(self) -> Any:
        return self.content

    def timestamp(self) -> tuple[int, int]:
        return self.when

    def headers(self) -> Any:
        return self.marked

    def error(self) -> KafkaError | None:
        return None if self.failed is None else KafkaError(self.failed)


def end(at: int, number: int = 0) -> FakeMessage:
    """The end of a partition."""
    return FakeMessage(at, number=number, failed=KafkaError._PARTITION_EOF)


class FakeConsumer(Client):
    """A client whose consumer brings what it is given, some messages at a time, and then nothing."""

    def __init__(self, source: Any, batches: Sequence[Sequence[FakeMessage]]) -> None:
        super().__init__(source)
        self.left = [list(batch) for batch in batches]
        self.assigned: list[tuple[int, int]] = []
        self.paused: list[int] = []
        self.closed = False

    def consumer(self) -> Any:
        return self

    def assign(self, places: Sequence[Any]) -> None:
        self.assigned = [(place.partition, place.offset) for place in places]

    def pause(self, places: Sequence[Any]) -> None:
        self.paused += [place.partition for place in places]

    def poll(self, timeout: float) -> FakeMessage | None:
        del timeout
        return self.left[0].pop(0) if self.left else None

    def consume(self, most: int, timeout: float) -> list[FakeMessage]:
        del most, timeout
        return self.left.pop(0)

    def close(self) -> None:
        self.closed = True
