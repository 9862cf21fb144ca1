"""What is read of a topic next, and what stops that, by offsets alone."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.errors import SourceError
from lakehouse.sources.kafka.options import Lost
from lakehouse.sources.kafka.position import News, Position, Range, divided, news
from lakehouse.sources.kafka.topics import Span, Topic

WHERE, DOING = "Kafka at k:9092", "ingesting events"


def topic(*spans: tuple[int, int], identifier: str = "A") -> Topic:
    return Topic("events", identifier, {number: Span(*span) for number, span in enumerate(spans)})


def read(**offsets: int) -> Position:
    return Position(topic_id="A", next={int(name[1:]): at for name, at in offsets.items()})


def found(before: Position | None, now: Topic, lost: Lost = Lost.STOP) -> News:
    return news(before, now, WHERE, DOING, lost)


def refused(before: Position, now: Topic) -> str:
    with pytest.raises(SourceError) as error:
        found(before, now)
    return str(error.value)


def test_without_a_position_all_that_is_there_is_read() -> None:
    assert found(None, topic((5, 9), (0, 0))) == News((Range(0, 5, 9),))


def test_with_one_what_came_since_is_read_and_of_a_new_partition_all() -> None:
    assert found(read(p0=7), topic((5, 9), (0, 3))) == News((Range(0, 7, 9), Range(1, 0, 3)))


def test_what_was_read_to_the_end_is_no_news_and_may_leave_the_topic() -> None:
    now = topic((9, 9), (0, 3))
    assert found(read(p0=9, p1=3), now) == News(())
    assert Position.behind(now) == read(p0=9, p1=3)


def test_a_position_is_the_same_text_in_whatever_order_partitions_are_told() -> None:
    spans = {1: Span(0, 2), 0: Span(0, 1)}
    text = Position.behind(Topic("events", "A", spans)).model_dump_json()
    assert text == '{"topic_id":"A","next":{"0":1,"1":2}}'
    assert Position.model_validate_json(text) == read(p0=1, p1=2)


def test_messages_that_left_unread_stop_the_table_and_are_counted() -> None:
    told = refused(read(p0=7, p1=0), topic((1_009, 2_000), (0, 5), (4, 5)))
    assert told.startswith(
        "ingesting events: topic 'events' of Kafka at k:9092 no longer holds up to 1,006 messages that were not read: "
        "partition 0: 7 to 1,009, partition 2: 0 to 4; expected each to be there until it was read."
    )
    assert "options: {lost: accept}" in told
    assert "--full-refresh" in told


def test_where_that_is_accepted_the_rest_is_read_and_they_are_counted() -> None:
    ranges = (Range(0, 9, 20),)
    assert found(read(p0=7), topic((9, 20)), Lost.ACCEPT) == News(ranges, lost=2)


def test_a_topic_that_was_made_anew_stops_the_table_whatever_its_offsets() -> None:
    told = refused(read(p0=7), topic((0, 9), identifier="B"))
    assert re.search(r"topic 'events' .* was made anew: its id is B, and raw was read from A; expected the same", told)
    assert told.endswith("or register the new topic as another table.")


@pytest.mark.parametrize("now", [topic((0, 6)), topic()])
def test_an_end_before_what_was_read_stops_the_table(now: Topic) -> None:
    told = refused(read(p0=7), now)
    assert re.search(
        r"ends before what was read of it: partition 0: [06] to 7; expected an end that never goes back", told
    )


@given(st.lists(st.integers(1, 50), min_size=1, max_size=6), st.integers(1, 9))
def test_parts_hold_each_offset_once_and_a_partition_once(sizes: list[int], count: int) -> None:
    ranges = [Range(number, 10, 10 + size) for number, size in enumerate(sizes)]
    groups = divided(ranges, count)
    held = [(one.partition, at) for group in groups for one in group for at in range(one.start, one.stop)]
    assert held == [(one.partition, at) for one in ranges for at in range(one.start, one.stop)]
    for group in groups:
        assert len({one.partition for one in group}) == len(group)
        assert sum(one.stop - one.start for one in group) <= -(-sum(sizes) // count)
