"""Ranges of offsets are read up to their ends: by position, whatever there is a message for."""

from collections.abc import Callable, Sequence

import pytest
from confluent_kafka import KafkaError

from lakehouse.errors import SourceError, SourceUnavailableError
from lakehouse.sources.kafka import part
from lakehouse.sources.kafka.part import latest, read
from lakehouse.sources.kafka.position import Range
from lakehouse.sources.kafka.settings import Settings
from lakehouse.sources.kafka.topics import Span, Topic
from tests.unit.sources.kafka.fake_kafka import FakeConsumer, FakeMessage, end

SOURCE = Settings(type="kafka", bootstrap_servers=("k:9092",), request_timeout_s=0.01)
Brought = Callable[..., FakeConsumer]


@pytest.fixture
def bringing(monkeypatch: pytest.MonkeyPatch) -> Brought:
    def made(*batches: Sequence[FakeMessage]) -> FakeConsumer:
        found = FakeConsumer(SOURCE, batches)
        monkeypatch.setattr(part, "Client", lambda source: found)
        return found

    return made


def offsets(*ranges: Range) -> list[tuple[int, int]]:
    return [
        (one.partition(), one.offset()) for some in read(SOURCE, "events", ranges, "ingesting events") for one in some
    ]


def test_a_range_ends_with_its_last_message(bringing: Brought) -> None:
    consumer = bringing([FakeMessage(3), FakeMessage(4)], [FakeMessage(5), FakeMessage(6)])
    assert offsets(Range(0, 3, 5)) == [(0, 3), (0, 4)]
    assert consumer.assigned == [(0, 3)]
    assert consumer.closed


@pytest.mark.parametrize("last", [FakeMessage(9), end(7), end(5)])
def test_a_gap_at_the_end_is_passed_by_what_stands_behind_it(bringing: Brought, last: FakeMessage) -> None:
    bringing([FakeMessage(0)], [FakeMessage(3), last])
    assert offsets(Range(0, 0, 5)) == [(0, 0), (0, 3)]


def test_a_range_without_a_message_ends_too(bringing: Brought) -> None:
    bringing([end(5)])
    assert offsets(Range(0, 3, 5)) == []


def test_an_end_before_that_of_the_range_is_waited_behind(bringing: Brought) -> None:
    bringing([FakeMessage(0), end(1)], [FakeMessage(1), FakeMessage(2)])
    assert offsets(Range(0, 0, 3)) == [(0, 0), (0, 1), (0, 2)]


def test_of_several_partitions_each_is_read_up_to_its_own_end(bringing: Brought) -> None:
    consumer = bringing([FakeMessage(0), FakeMessage(7, number=1), FakeMessage(1)], [FakeMessage(2), end(8, number=1)])
    assert offsets(Range(0, 0, 1), Range(1, 7, 8)) == [(0, 0), (1, 7)]
    assert consumer.paused == [0, 1]


def test_a_broker_that_falls_silent_is_told_with_what_is_missing(bringing: Brought) -> None:
    consumer = bringing([FakeMessage(0)])
    consumer.complaints.append((KafkaError._TRANSPORT, "connection refused"))
    with pytest.raises(SourceUnavailableError) as error:
        offsets(Range(0, 0, 5))
    assert str(error.value).startswith(
        "ingesting events: Kafka at k:9092 sent nothing of topic 'events' for 0.01 s: connection refused; expected what is "
        "there up to offset 5 of partition 0. Nothing was loaded."
    )
    assert consumer.closed


def test_messages_that_left_meanwhile_are_an_error_that_may_pass(bringing: Brought) -> None:
    bringing([FakeMessage(2, failed=KafkaError._AUTO_OFFSET_RESET)])
    with pytest.raises(SourceUnavailableError, match=r"partition 0 of topic 'events' .* has no offset 2 any more"):
        offsets(Range(0, 0, 5))


def test_what_the_broker_forbids_is_an_error_that_does_not_pass(bringing: Brought) -> None:
    bringing([FakeMessage(0, failed=KafkaError.TOPIC_AUTHORIZATION_FAILED)])
    with pytest.raises(SourceError, match="Grant it Describe and Read of the topic") as error:
        offsets(Range(0, 0, 5))
    assert not error.value.retryable


def test_the_latest_messages_are_of_all_partitions() -> None:
    now = Topic("events", "A", {0: Span(0, 100), 1: Span(5, 8), 2: Span(4, 4)})
    assert latest(now, 30) == [Range(0, 90, 100), Range(1, 5, 8)]
