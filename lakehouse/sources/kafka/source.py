"""Kafka during a run."""

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import fastavro
from fastavro.schema import SchemaParseException

from lakehouse.errors import SourceError, one_line
from lakehouse.paths import ARRIVAL_COLUMNS, OFFSET, ORDER, PARTITION
from lakehouse.settings import Environment
from lakehouse.sources.kafka.connection import Client
from lakehouse.sources.kafka.likely import likely
from lakehouse.sources.kafka.messages import HEADERS, KEY, TIME, Reading
from lakehouse.sources.kafka.options import Options
from lakehouse.sources.kafka.part import latest, read
from lakehouse.sources.kafka.reader import KafkaReader
from lakehouse.sources.kafka.settings import Settings
from lakehouse.sources.kafka.topics import Topics
from lakehouse.sources.opening import Followed
from lakehouse.sources.reader import Horizon, Wanted
from lakehouse.sources.records import OTHERS_COLUMN
from lakehouse.sources.relation import SourceColumn, SourceRelation

#: The columns that a message has besides the fields of its value, and their types.
_BESIDE = (
    OTHERS_COLUMN,
    SourceColumn(KEY, KEY, "key of the message", "string"),
    SourceColumn(TIME, TIME, "time of the message", "timestamp"),
    SourceColumn(HEADERS, HEADERS, "JSON of the headers", "string"),
    SourceColumn(PARTITION, PARTITION, "number of the partition", "int", nullable=False),
    SourceColumn(OFFSET, OFFSET, "offset in the partition", "bigint", nullable=False),
    SourceColumn(ORDER, ORDER, "number of arrival", "bigint", nullable=False),
)
_OWN = {*ARRIVAL_COLUMNS, *(column.name for column in _BESIDE)}
_KEY = (PARTITION, OFFSET)
_FROM_WHERE = "of JSON `lakehouse new` writes a first list from the latest messages, of Avro the schema names them."
#: So many messages say what those of a topic are like.
_SAMPLE = 2_000


@contextmanager
def opened(name: str, source: Settings, followed: Collection[Followed]) -> Iterator["KafkaSession"]:
    """Source ``name``.

    Raises:
        SourceUnavailableError: no broker answers.
        SourceError: the cluster refuses.
    """
    del followed
    session = KafkaSession(source)
    session.check(f"opening source {name!r}")
    yield session


class KafkaSession:
    """See :class:`lakehouse.sources.reader.Session`. A topic is looked at when its reader is made, and read up to there."""

    one_moment = True
    reads_in_threads = False

    def __init__(self, source: Settings) -> None:
        self._source, self._topics = source, Topics(Client(source))
        self.taken_at = datetime.now(UTC)
        self.horizon = Horizon(self.taken_at, self.taken_at, has_transactions=False)
        self.parallelism = source.parallelism

    def check(self, doing: str) -> None:
        """Raise :class:`SourceError` where the cluster does not answer."""
        self._topics.names(doing)

    def relations(self, schema: str | None = None) -> list[str]:
        """The topics, without Kafka's own; of ``schema``, those whose name begins with it and a dot."""
        names = self._topics.names("listing topics")
        return [name for name in names if schema is None or name.startswith(f"{schema}.")]

    def describe(self, relation: str) -> SourceRelation:
        """What the latest messages of a topic are like: their fields, where their values are JSON objects."""
        doing = f"describing {relation}"
        topic = self._topics.looked_at(relation, doing)
        messages = [one for some in read(self._source, topic.name, latest(topic, _SAMPLE), doing) for one in some]
        columns, options = likely(messages, relation, sorted(_OWN))
        key = tuple(column.name for column in columns if column.source_name == options.get("key_field"))
        return SourceRelation(relation, (*columns, *_BESIDE), key or _KEY, options)

    @contextmanager
    def reader(self, wanted: Wanted) -> Iterator[KafkaReader]:
        options = Options.said(wanted.options, wanted.doing)
        schemas = _schemas(options, wanted.doing)
        declared = [name for name in wanted.columns if name not in _OWN]
        if not declared:
            raise wanted.without_columns("messages", _FROM_WHERE)
        names = {wanted.names.get(name, name): name for name in declared}
        reading = Reading(options, names, schemas)
        columns = [SourceColumn(source, name, "text", "string") for name, source in names.items()]
        topic = self._topics.looked_at(wanted.relation, wanted.doing)
        relation = SourceRelation(wanted.relation, (*columns, *_BESIDE), _KEY)
        yield KafkaReader(relation, reading, self._source, topic, wanted.doing)


def _schemas(options: Options, doing: str) -> dict[int | None, str]:
    """The text of each Avro schema that ``options`` name, by its number.

    Raises:
        SourceError: there is no such file, or it is no schema.
    """
    return {number: _schema(path, doing) for number, path in options.schemas.items()}


def _schema(file: str, doing: str) -> str:
    path = Environment().project() / file
    try:
        text = path.read_bytes()
        fastavro.parse_schema(json.loads(text))
    except (OSError, SchemaParseException, ValueError, TypeError, LookupError) as error:
        raise SourceError(
            f"{doing}: option 'schema' is {file}, and {path} is no Avro schema: "
            f"{one_line(error, 200)}. Expected a file with JSON of a record.",
            remedy="Correct the path, which goes out from the project's folder, or the file.",
        ) from None
    return text.decode()
