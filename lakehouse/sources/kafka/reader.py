"""A topic, as a relation to which rows arrive."""

from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa

from lakehouse.errors import SourceError
from lakehouse.fingerprint import fingerprint
from lakehouse.sources.feed import OnlyArrives
from lakehouse.sources.kafka.messages import Reading
from lakehouse.sources.kafka.part import KafkaPart
from lakehouse.sources.kafka.position import News, Position, divided, news
from lakehouse.sources.kafka.settings import Settings
from lakehouse.sources.kafka.topics import Topic
from lakehouse.sources.reader import Arrived, Bound, Held, Look, Part
from lakehouse.sources.relation import SourceRelation

#: As many offsets become one data file at most, and as many are worth a reader of their own.
_TOGETHER, _WORTH = 1_000_000, 20_000


class KafkaReader(OnlyArrives):
    """See :class:`lakehouse.sources.reader.Feed`."""

    brings_deletes = True

    def __init__(self, relation: SourceRelation, reading: Reading, source: Settings, topic: Topic, doing: str) -> None:
        """``topic`` is as it was when the session looked at it."""
        self.relation, self.options = relation, reading.deciding
        self._reading, self._source, self._topic, self._doing = reading, source, topic, doing

    def arrived(self, columns: Sequence[str], position: str | None, held: Held, *, anew: bool) -> Arrived:
        """See :class:`lakehouse.sources.reader.Feed`. Messages replace none, so that raw is not asked what it holds: those that
        are read anew come beside what they were, and are newer.

        Raises:
            SourceError: see :func:`lakehouse.sources.kafka.position.news`.
        """
        del held
        before = Position.model_validate_json(position) if position is not None else None
        found = news(before, self._topic, self._source.where, self._doing, self._reading.options.lost)
        if anew:
            found = replace(found, ranges=news(None, self._topic, self._source.where, self._doing).ranges)
        lost = f"up to {found.lost:,} messages left the topic before they were read" if found.lost else None
        return Arrived(
            parts=self._parts(found, columns),
            position=Position.behind(self._topic).model_dump_json(),
            rows=found.offsets,
            notes=(lost,) if lost else (),
        )

    def read(self, columns: Sequence[str], bound: Bound | None = None, keys: pa.Table | None = None) -> Sequence[Part]:
        """Is refused: what a topic holds is not what there is, but what was said of it lately."""
        del columns, bound, keys
        raise self.no_cursor()

    def look(self, columns: Sequence[str], bound: Bound | None, *, count_keys: bool) -> Look:
        """By the topic and the ends of its partitions."""
        del columns, bound, count_keys
        return Look(fingerprint(Position.behind(self._topic).model_dump_json()), None)

    def no_cursor(self) -> SourceError:
        return SourceError(
            f"{self._doing}: topic {self.relation.name!r} holds messages, which are read once, in order; it has neither a "
            "cursor nor keys that could be asked for, and does not hold what was thrown away.",
            remedy="Write `load: arrivals`.",
        )

    def _parts(self, found: News, columns: Sequence[str]) -> list[KafkaPart]:
        offsets = found.offsets
        count = max(1, -(-offsets // _TOGETHER), min(self._source.parallelism, -(-offsets // _WORTH)))
        topic = self._topic
        return [
            KafkaPart(self._source, self._reading, topic.name, topic.identifier, group, tuple(columns), self._doing)
            for group in divided(found.ranges, count)
        ]
