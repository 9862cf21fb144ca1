"""Clicks through Kafka: a topic of two partitions, JSON by the number of the event."""

import json
import time
from collections.abc import Iterable
from datetime import date

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from lakehouse.errors import SourceUnavailableError
from scripts.demo_data.platform import clicks

TOPIC, _PARTITIONS = "clicks", 2


def is_empty(servers: str) -> bool:
    """Whether the topic is not there yet.

    Raises:
        SourceUnavailableError: no broker answers.
    """
    return TOPIC not in _admin(servers).list_topics(timeout=20).topics


def send(servers: str, days: Iterable[date], scale: float = 1, seed: int = 7, rate: float | None = None) -> int:
    """Send the events of some days, each written for good before this returns; returns how many.

    Args:
        rate: so many events a second; as fast as the broker takes them when absent.

    Raises:
        SourceUnavailableError: the broker did not take all.
    """
    if is_empty(servers):
        admin = _admin(servers)  # which is kept until it has its answer
        admin.create_topics([NewTopic(TOPIC, _PARTITIONS, 1)], request_timeout=20)[TOPIC].result()
    producer = Producer({"bootstrap.servers": servers, "enable.idempotence": True, "log_level": 0})
    count = 0
    for event in (event for day in days for event in clicks.messages(day, scale, seed)):
        producer.produce(TOPIC, json.dumps(event), key=str(event["event_id"]))
        producer.poll(0)
        count += 1
        if rate is not None:
            producer.flush()
            time.sleep(1 / rate)
    if left := producer.flush(60):
        raise SourceUnavailableError(f"sending clicks to Kafka at {servers}: {left:,} of {count:,} were not taken.")
    return count


def _admin(servers: str) -> AdminClient:
    return AdminClient({"bootstrap.servers": servers, "log_level": 0})
