"""Ranges of a topic's offsets, which are read up to their ends."""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from confluent_kafka import KafkaError, TopicPartition

from lakehouse.errors import SourceError, SourceUnavailableError
from lakehouse.sources.kafka.connection import Client, meaning, translated
from lakehouse.sources.kafka.messages import Reading, Rows
from lakehouse.sources.kafka.position import Range
from lakehouse.sources.kafka.settings import Settings
from lakehouse.sources.kafka.topics import Topic, Topics
from lakehouse.sources.reader import MISFITS, OPERATION

#: So many messages become rows at once: few enough to stay in the processor's cache until they are.
_MANY = 2_000
#: How long (seconds) one wait for messages takes at most, so that a broker that went away is noticed.
_STEP_S = 0.5


@dataclass(frozen=True)
class KafkaPart:
    """Some ranges of a topic, at most one of each partition.

    Attributes:
        topic_id: of the topic whose offsets they are.
        columns: lake names.
    """

    source: Settings = field(repr=False)
    reading: Reading
    topic: str
    topic_id: str
    ranges: Sequence[Range]
    columns: Sequence[str]
    doing: str

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows: of a partition in the order of their offsets.

        Raises:
            SourceUnavailableError: no broker answers, or messages left the topic meanwhile.
            SourceError: the cluster refused, or the topic was made anew meanwhile.
        """
        rows = Rows(self.reading)
        for messages in read(self.source, self.topic, self.ranges, self.doing):
            found = rows.batch(messages)
            names = (*self.columns, OPERATION, MISFITS)
            yield pa.RecordBatch.from_pydict({name: found.column(name) for name in names})
        if Topics(Client(self.source)).identifier(self.topic, self.doing) != self.topic_id:
            raise SourceUnavailableError(
                f"{self.doing}: topic {self.topic!r} of {self.source.where} was made anew while it was read; expected the "
                "one that the read began with. Nothing was loaded.",
                remedy="Run again.",
            )


def read(source: Settings, topic: str, ranges: Sequence[Range], doing: str) -> Iterator[Sequence[Any]]:
    """The messages of ``ranges``, some at a time, as the library has them.

    An offset need not have a message: a transaction ends with a mark, what was aborted is not shown, and compaction leaves
    gaps. So a range is read when a message behind it comes, or the partition's end, which is not before the range's.

    Raises:
        SourceUnavailableError: no broker answers, or the first of the messages left the topic.
        SourceError: the cluster refused.
    """
    client = Client(source)
    stops = {one.partition: one.stop for one in ranges}
    with translated(client, doing), closing(client.consumer()) as consumer:
        consumer.assign([TopicPartition(topic, one.partition, one.start) for one in ranges])
        heard = time.monotonic()
        while stops:
            found = _some(consumer)
            if found:
                heard = time.monotonic()
            elif time.monotonic() - heard > source.request_timeout_s:
                raise _silent(client, topic, stops, doing)
            messages = []
            for message in found:
                error = message.error()
                if error is not None and error.code() != KafkaError._PARTITION_EOF:
                    raise _refused(client, error, topic, message, doing)
                number, offset = message.partition(), message.offset()
                stop = stops.get(number, 0)
                if error is None and offset < stop:
                    messages.append(message)
                if number in stops and offset + (error is None) >= stop:
                    del stops[number]
                    consumer.pause([TopicPartition(topic, number)])
            if messages:
                yield messages


def latest(topic: Topic, most: int) -> list[Range]:
    """The last offsets of a topic, about ``most`` of them."""
    each = -(-most // max(1, len(topic.spans)))
    ranges = (Range(number, max(span.low, span.end - each), span.end) for number, span in topic.spans.items())
    return [one for one in ranges if one.start < one.stop]


def _some(consumer: Any) -> list[Any]:
    """What has come, after the first of it has; nothing when none does for a while."""
    first = consumer.poll(_STEP_S)
    return [] if first is None else [first, *consumer.consume(_MANY - 1, 0)]


def _silent(client: Client, topic: str, stops: dict[int, int], doing: str) -> SourceUnavailableError:
    why = f": {client.complaints[-1][1]}" if client.complaints else ""
    return SourceUnavailableError(
        f"{doing}: {client.source.where} sent nothing of topic {topic!r} for {client.source.request_timeout_s:g} s{why}; "
        f"expected what is there up to offset {', '.join(f'{stop:,} of partition {n}' for n, stop in stops.items())}. "
        "Nothing was loaded.",
        remedy="Check that its brokers run and that this machine reaches them.",
    )


def _refused(client: Client, error: KafkaError, topic: str, message: Any, doing: str) -> SourceError:
    if error.code() == KafkaError._AUTO_OFFSET_RESET:
        return SourceUnavailableError(
            f"{doing}: partition {message.partition()} of topic {topic!r} of {client.source.where} has no offset "
            f"{message.offset():,} any more: the broker threw messages away while they were read, or lost them. Expected those "
            "that were there when the read began. Nothing was loaded.",
            remedy="Run again, which tells how many are gone.",
        )
    return meaning(client, error, doing)
