"""Messages as rows: the fields of their values as text, what stands beside a value, and what a message without one says."""

import base64
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import fastavro
import pyarrow as pa

from lakehouse.fingerprint import fingerprint
from lakehouse.paths import OFFSET, ORDER, PARTITION
from lakehouse.sources import avro_values
from lakehouse.sources.json_objects import NoObjectError, as_written, decoded
from lakehouse.sources.kafka.options import Format, Options, Wire
from lakehouse.sources.reader import DELETE, OPERATION, UPSERT
from lakehouse.sources.records import Fields, Path, Records

#: The columns of what stands beside a value: the key, when the message was written, and JSON of each header's values.
KEY, TIME, HEADERS = "message_key", "message_time", "message_headers"
#: As many partitions have numbers of their own in :data:`lakehouse.paths.ORDER`.
_PARTITIONS = 2**16
_WIRE_BYTES = 5
_NO_TIME = 0


class Message(Protocol):
    """What is asked of a message of the library."""

    def partition(self) -> int | None: ...
    def offset(self) -> int | None: ...
    def key(self) -> Any: ...
    def value(self) -> Any: ...
    def timestamp(self) -> tuple[int, int]: ...
    def headers(self) -> Any: ...


@dataclass(frozen=True)
class Reading:
    """How the messages of a topic are read.

    Attributes:
        names: the fields that are read of a value, lake name to name there.
        schemas: of values in Avro, JSON of each schema by its number; by ``None`` where messages say none.
    """

    options: Options
    names: Mapping[str, str]
    schemas: Mapping[int | None, str] = field(default_factory=dict)

    @property
    def deciding(self) -> dict[str, str]:
        """What decides which values a message arrives with, by name."""
        schemas = {"schema": fingerprint(json.dumps(sorted(self.schemas.items(), key=str)))} if self.schemas else {}
        return self.options.deciding() | schemas


class BrokenError(ValueError):
    """A value cannot be read; says why, without a letter of it."""


@dataclass
class Rows:
    """Messages that become rows, some thousands at a time."""

    reading: Reading
    _avro: Mapping[int | None, Any] = field(init=False)

    def __post_init__(self) -> None:
        schemas = self.reading.schemas
        self._avro = {number: fastavro.parse_schema(json.loads(text)) for number, text in schemas.items()}

    def batch(self, messages: Sequence[Message]) -> pa.RecordBatch:
        """A row for each message: the fields, :data:`lakehouse.sources.records.OTHERS`, what stands beside the value, where
        the message stands, :data:`OPERATION`, and :data:`lakehouse.sources.reader.MISFITS`."""
        records, texts = Records(place=OFFSET), list[bytes | None]()
        for message in messages:
            texts.append(self._add(records, message))

        def spelled(number: int, path: Path) -> str:
            text = texts[number]
            return avro_values.spelled(records, number, path) if text is None else as_written(text, path)

        found = records.batch(Fields.named(self.reading.names), spelled)
        columns = {name: found.column(name) for name in found.schema.names} | _beside(messages)
        return pa.RecordBatch.from_pydict(columns)

    def _add(self, records: Records, message: Message) -> bytes | None:
        """Adds a message's fields; returns the JSON that they are read from, if they are."""
        offset, value, key = message.offset() or 0, message.value(), message.key()
        if value is None:
            fields, text = self._said_by_key(key)
            records.add(offset, fields)
            return text
        try:
            fields, text = self._said_by(value)
        except BrokenError as error:
            records.add_broken(offset, str(error))
            return None
        name = self.reading.options.key_field
        if name is not None and key is not None:
            fields.setdefault(name, key_text(key))
        records.add(offset, fields)
        return text

    def _said_by(self, value: bytes) -> tuple[dict[str, Any], bytes | None]:
        number = None
        if self.reading.options.wire is Wire.CONFLUENT:
            number, value = unframed(value)
        if self.reading.options.format is Format.JSON:
            try:
                return decoded(value), value
            except NoObjectError as error:
                raise BrokenError(f"no JSON object: {error}") from None
        if number not in self._avro:
            says = (
                "no number of a schema" if number is None else f"schema {number}, which the registry file does not name"
            )
            raise BrokenError(f"no Avro that can be read: it says {says}")
        stream = io.BytesIO(value)
        try:
            found = avro_values.plain(fastavro.schemaless_reader(stream, self._avro[number], None))
        except avro_values.BROKEN as error:
            raise BrokenError(f"no Avro of the schema: {type(error).__name__}") from None
        if stream.tell() != len(value):
            raise BrokenError(f"no Avro of the schema: it ends {len(value) - stream.tell():,} bytes before the value")
        if not isinstance(found, dict):
            raise BrokenError("no Avro of the schema: no record")
        return found, None

    def _said_by_key(self, key: bytes | None) -> tuple[dict[str, Any], bytes | None]:
        """The fields of a message that has no value."""
        name = self.reading.options.key_field
        if key is None:
            return {}, None
        if name is not None:
            return {name: key_text(key)}, None
        try:
            return decoded(key), key
        except NoObjectError:
            return {}, None


def _beside(messages: Sequence[Message]) -> dict[str, pa.Array]:
    partitions = [message.partition() or 0 for message in messages]
    offsets = [message.offset() or 0 for message in messages]
    times = [when if kind != _NO_TIME else None for kind, when in (message.timestamp() for message in messages)]
    orders = [offset * _PARTITIONS + number for offset, number in zip(offsets, partitions, strict=True)]
    keys = [None if message.key() is None else key_text(message.key()) for message in messages]
    return {
        KEY: pa.array(keys, pa.string()),
        TIME: pa.array(times, pa.timestamp("ms", "UTC")).cast(pa.timestamp("us", "UTC")),
        HEADERS: pa.array([_headers(message.headers()) for message in messages], pa.string()),
        PARTITION: pa.array(partitions, pa.int32()),
        ORDER: pa.array(orders, pa.int64()),
        OPERATION: pa.array([DELETE if message.value() is None else UPSERT for message in messages], pa.string()),
    }


def unframed(value: bytes) -> tuple[int | None, bytes]:
    """The number of its schema that stands before a value, and the value; ``None`` where none does."""
    if value[:1] != b"\0":
        return None, value
    return int.from_bytes(value[1:_WIRE_BYTES]), value[_WIRE_BYTES:]


def key_text(key: bytes) -> str:
    """A key, or the value of a header: in UTF-8 the text that it is, else ``base64:`` and its bytes so."""
    try:
        return key.decode()
    except UnicodeDecodeError:
        return f"base64:{base64.b64encode(key).decode()}"


def _headers(headers: Sequence[tuple[str, bytes | None]] | None) -> str | None:
    """JSON of the values of each header, of which a message may have several of one name; NULL where there is none."""
    if not headers:
        return None
    found: dict[str, list[str | None]] = {}
    for name, value in headers:
        found.setdefault(name, []).append(None if value is None else key_text(value))
    return json.dumps(found, ensure_ascii=False)
