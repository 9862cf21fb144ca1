"""What is asked of a cluster, and what its answers mean."""

from collections.abc import Mapping
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import IsolationLevel, KafkaError, KafkaException

from lakehouse.errors import SourceError, SourceUnavailableError
from lakehouse.sources.kafka.connection import Client
from lakehouse.sources.kafka.settings import Settings
from lakehouse.sources.kafka.topics import Span, Topic, Topics

SOURCE = Settings(type="kafka", bootstrap_servers=("k:9092",))


def answer(value: Any) -> "Future[Any]":
    found: Future[Any] = Future()
    if isinstance(value, Exception):
        found.set_exception(value)
    else:
        found.set_result(value)
    return found


class FakeCluster(Client):
    """A cluster with one topic of two partitions, or with an error in place of that."""

    def __init__(self, error: int | None = None) -> None:
        super().__init__(SOURCE)
        self.error, self.isolation = error, set[Any]()

    def admin(self) -> Any:
        return self

    def poll(self, timeout: float) -> None:
        del timeout

    def list_topics(self, timeout: float) -> Any:
        del timeout
        return SimpleNamespace(topics=["events", "__consumer_offsets", "clicks"])

    def describe_topics(self, topics: Any, request_timeout: float) -> Any:
        del request_timeout
        (name,) = topics.topic_names
        said = SimpleNamespace(topic_id="A", partitions=[SimpleNamespace(id=0), SimpleNamespace(id=1)])
        return {name: answer(said if self.error is None else KafkaException(KafkaError(self.error)))}

    def list_offsets(self, places: Mapping[Any, Any], isolation_level: Any, request_timeout: float) -> Any:
        del request_timeout
        self.isolation.add(isolation_level)
        first = "Earliest" in type(next(iter(places.values()))).__name__
        return {place: answer(SimpleNamespace(offset=place.partition + (0 if first else 10))) for place in places}


def test_a_topic_goes_from_what_is_there_to_what_was_committed() -> None:
    cluster = FakeCluster()
    assert Topics(cluster).looked_at("events", "ingesting events") == Topic(
        "events", "A", {0: Span(0, 10), 1: Span(1, 11)}
    )
    assert cluster.isolation == {IsolationLevel.READ_COMMITTED}


def test_topics_of_kafka_itself_are_not_told() -> None:
    assert Topics(FakeCluster()).names("listing topics") == ["clicks", "events"]


def test_a_topic_that_is_not_there_is_told_with_one_that_is_like_it() -> None:
    with pytest.raises(SourceError) as error:
        Topics(FakeCluster(KafkaError.UNKNOWN_TOPIC_OR_PART)).looked_at("events", "ingesting events")
    assert "ingesting events: Kafka at k:9092 has no topic 'events'. Did you mean 'events'?" in str(error.value)
    assert not error.value.retryable


def test_a_cluster_that_does_not_answer_is_told_so() -> None:
    with pytest.raises(SourceUnavailableError, match="does not answer within 20 s"):
        Topics(FakeCluster(KafkaError._TIMED_OUT)).identifier("events", "ingesting events")
