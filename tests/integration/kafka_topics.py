"""A broker, as a program writes to it: topics, messages, and what retention takes away."""

import json
from collections.abc import Mapping
from typing import Any

from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from lakehouse.sources.kafka.settings import Settings
from scripts.services.kafka import Kafka
from scripts.services.process import wait_until


class Broker:
    """A broker in which a program makes topics and writes messages."""

    def __init__(self, service: Kafka) -> None:
        self.servers = service.bootstrap_servers
        self.admin: AdminClient = service.admin()
        self.topics: list[str] = []

    def settings(self) -> Settings:
        """How the lake reaches it."""
        return Settings(type="kafka", bootstrap_servers=(self.servers,), request_timeout_s=5)

    def make(self, name: str, partitions: int = 2) -> None:
        self.admin.create_topics([NewTopic(name, partitions, 1)], request_timeout=20)[name].result()
        wait_until(lambda: name in self.admin.list_topics(timeout=5).topics, 20, f"making {name}")
        self.topics.append(name)

    def remove(self, name: str) -> None:
        self.admin.delete_topics([name], request_timeout=20)[name].result()
        wait_until(lambda: name not in self.admin.list_topics(timeout=5).topics, 20, f"removing {name}")
        self.topics.remove(name)

    def producer(self, **settings: Any) -> Producer:
        return Producer({"bootstrap.servers": self.servers, "log_level": 0, **settings})

    def write(self, name: str, *values: Any, partition: int = 0, **more: Any) -> None:
        producer = self.producer()
        for value in values:
            self._produce(producer, name, as_bytes(value), partition, more)
        assert producer.flush(60) == 0

    @staticmethod
    def _produce(producer: Producer, name: str, value: bytes | None, partition: int, more: Mapping[str, Any]) -> None:
        while True:
            try:
                return producer.produce(name, value, partition=partition, **more)
            except BufferError:
                producer.poll(0.1)

    def forget(self, name: str, partition: int, before: int) -> None:
        """The broker throws away what stands before an offset, as retention does."""
        for future in self.admin.delete_records([TopicPartition(name, partition, before)]).values():
            future.result()


def as_bytes(value: Any) -> bytes | None:
    return value if value is None or isinstance(value, bytes) else json.dumps(value).encode()
