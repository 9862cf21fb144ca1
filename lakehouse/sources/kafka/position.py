"""Up to where a topic was read, and what of it is to be read next."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from lakehouse.errors import SourceError
from lakehouse.model import Strict
from lakehouse.sources.kafka.options import Lost
from lakehouse.sources.kafka.topics import Span, Topic


class Position(Strict):
    """What was read of a topic.

    Attributes:
        topic_id: of the topic, as Kafka tells it from another of the same name.
        next: of each partition the offset that is read next.
    """

    topic_id: str
    next: Mapping[int, int]

    @classmethod
    def behind(cls, topic: Topic) -> "Position":
        """All of ``topic``."""
        return cls(topic_id=topic.identifier, next={number: topic.spans[number].end for number in sorted(topic.spans)})


@dataclass(frozen=True)
class Range:
    """Offsets of a partition: from ``start`` on, up to but without ``stop``."""

    partition: int
    start: int
    stop: int


@dataclass(frozen=True)
class News:
    """What is there that a position does not know.

    Attributes:
        ranges: at most one of each partition.
        lost: how many messages, at most, the broker threw away before they were read.
    """

    ranges: tuple[Range, ...]
    lost: int = 0

    @property
    def offsets(self) -> int:
        """About how many messages they are: gaps and the marks of transactions are counted, too."""
        return sum(one.stop - one.start for one in self.ranges)


def news(before: Position | None, topic: Topic, where: str, doing: str, lost: Lost = Lost.STOP) -> News:
    """What ``topic`` has that ``before`` does not know: all that is there without one; of a partition that is new, all.

    Raises:
        SourceError: it is another topic than the one that was read, its partitions end before what was read, or messages
            are gone that were not.
    """
    if before is None:
        return News(tuple(_ranges({}, topic.spans)))
    if before.topic_id != topic.identifier:
        raise SourceError(
            f"{doing}: topic {topic.name!r} of {where} was made anew: its id is {topic.identifier}, and raw was read from "
            f"{before.topic_id}; expected the same topic, since the offsets of another say nothing of what was read. Nothing "
            "was loaded.",
            remedy="Run the table with --full-refresh, which replaces raw by what the new topic holds, or register the new "
            "topic as another table.",
        )
    if beyond := _told((number, at, topic.spans.get(number, Span(0, 0)).end) for number, at in before.next.items()):
        raise SourceError(
            f"{doing}: topic {topic.name!r} of {where} ends before what was read of it: {beyond[1]}; expected an end that "
            "never goes back. A broker lost messages that it had shown. Nothing was loaded.",
            remedy="Look at the cluster (unclean leader election, a restored backup). To go on with what is there, run the "
            "table with --full-refresh.",
        )
    gone = _told((number, span.low, before.next.get(number, 0)) for number, span in topic.spans.items())
    if gone and lost is Lost.STOP:
        raise SourceError(
            f"{doing}: topic {topic.name!r} of {where} no longer holds up to {gone[0]:,} messages that were not read: "
            f"{gone[1]}; expected each to be there until it was read. Its retention is shorter than the time between two "
            "loads. Nothing was loaded.",
            remedy="Keep messages for longer. To go on without those, write `options: {lost: accept}` in the registry file, "
            "which adds what is there now; --full-refresh replaces raw by it.",
        )
    return News(tuple(_ranges(before.next, topic.spans)), gone[0] if gone else 0)


def _ranges(read: Mapping[int, int], spans: Mapping[int, Span]) -> Iterator[Range]:
    for number, span in sorted(spans.items()):
        start = max(read.get(number, 0), span.low)
        if start < span.end:
            yield Range(number, start, span.end)


def _told(pairs: Iterator[tuple[int, int, int]]) -> tuple[int, str] | None:
    """How much of each partition lies between two offsets, the first above the second, in all and in words."""
    found = [(number, first, second) for number, first, second in pairs if first > second]
    if not found:
        return None
    said = ", ".join(f"partition {number}: {second:,} to {first:,}" for number, first, second in found[:5])
    return sum(first - second for _, first, second in found), said + (", …" if len(found) > 5 else "")


def divided(ranges: Sequence[Range], count: int) -> list[tuple[Range, ...]]:
    """``ranges`` in ``count`` groups of about as many offsets each; of a partition, each has one range at most."""
    total = sum(one.stop - one.start for one in ranges)
    edges = [total * place // count for place in range(count + 1)]
    groups = []
    for first, last in pairwise(edges):
        group, begins = [], 0
        for one in ranges:
            ends = begins + one.stop - one.start
            start, stop = max(first, begins), min(last, ends)
            if start < stop:
                group.append(Range(one.partition, one.start + start - begins, one.start + stop - begins))
            begins = ends
        if group:
            groups.append(tuple(group))
    return groups
