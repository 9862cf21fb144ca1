"""What a cluster says of its topics: which there are, which one a name means, and from where to where its partitions go."""

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import OffsetSpec  # type: ignore[attr-defined]

from lakehouse.errors import SourceError, suggest
from lakehouse.sources.kafka.connection import Client, translated


@dataclass(frozen=True)
class Span:
    """The offsets of a partition: from ``low`` on, up to but without ``end``. Not each of them has a message."""

    low: int
    end: int


@dataclass(frozen=True)
class Topic:
    """A topic, when it was looked at.

    Attributes:
        identifier: tells it from another of the same name that took its place.
        spans: what of each partition is there and was committed.
    """

    name: str
    identifier: str
    spans: Mapping[int, Span]


class Topics:
    """The topics of a cluster.

    Raises:
        SourceError: no client can be made as the profile says.
    """

    def __init__(self, client: Client) -> None:
        with translated(client, f"opening {client.source.where}"):
            self._client, self._admin = client, client.admin()
        self._timeout = client.source.request_timeout_s

    def names(self, doing: str) -> list[str]:
        """All but those that Kafka keeps for itself.

        Raises:
            SourceUnavailableError: no broker answers.
            SourceError: it refuses.
        """
        with self._translated(doing):
            found = self._admin.list_topics(timeout=self._timeout).topics
        return sorted(name for name in found if not name.startswith("__"))

    def looked_at(self, name: str, doing: str) -> Topic:
        """The topic as it is now, up to its last stable offset: what is there of a transaction that is open comes later.

        Raises:
            SourceUnavailableError: no broker answers.
            SourceError: there is no such topic, or it may not be read.
        """
        with self._translated(doing):
            described = self._described(name, doing)
            partitions = [partition.id for partition in described.partitions]
            lows = self._offsets(name, partitions, OffsetSpec.earliest())  # type: ignore[no-untyped-call]
            ends = self._offsets(name, partitions, OffsetSpec.latest())  # type: ignore[no-untyped-call]
        spans = {number: Span(lows[number], max(lows[number], ends[number])) for number in partitions}
        return Topic(name, str(described.topic_id), spans)

    def identifier(self, name: str, doing: str) -> str:
        """What tells the topic from another of the same name; raises as :meth:`looked_at`."""
        with self._translated(doing):
            return str(self._described(name, doing).topic_id)

    def _described(self, name: str, doing: str) -> Any:
        asked = self._admin.describe_topics(TopicCollection([name]), request_timeout=self._timeout)
        try:
            return self._answer(asked[name])
        except KafkaException as error:
            if error.args[0].code() not in {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.TOPIC_EXCEPTION}:
                raise
        raise SourceError(
            f"{doing}: {self._client.source.where} has no topic {name!r}. {suggest(name, self.names(doing))}",
            remedy="Correct `relation` in the registry file, or wait until the topic is made.",
        )

    def _offsets(self, name: str, partitions: list[int], which: OffsetSpec) -> dict[int, int]:
        asked = self._admin.list_offsets(
            {TopicPartition(name, number): which for number in partitions},
            isolation_level=IsolationLevel.READ_COMMITTED,
            request_timeout=self._timeout,
        )
        return {place.partition: int(self._answer(future).offset) for place, future in asked.items()}

    def _answer(self, future: "Future[Any]") -> Any:
        return future.result(self._timeout + 1)

    def _translated(self, doing: str) -> Any:
        return translated(self._client, doing, self._admin)
