"""What a topic is like, by its latest messages: for a first contract, which a person then reads."""

from collections.abc import Mapping, Sequence
from typing import Any

from lakehouse.sources.json_objects import NoObjectError, decoded, objects
from lakehouse.sources.kafka.messages import Message, key_text
from lakehouse.sources.likely import text_columns
from lakehouse.sources.relation import SourceColumn

_WIRE_BYTES = 5


def likely_columns_of(messages: Sequence[Message], own: Sequence[str]) -> list[SourceColumn]:
    """The fields of the values, where these are JSON objects.

    Args:
        own: the lake names that are the engine's.
    """
    return text_columns(list(objects(value for message in messages if (value := message.value()) is not None)), own)


def likely_options(messages: Sequence[Message], topic: str) -> dict[str, str]:
    """How values are written, where they are no JSON objects; else the field that the messages' keys are values of."""
    pairs = [(message.key(), value) for message in messages if (value := message.value()) is not None]
    records = [(key, record) for key, value in pairs if (record := _record(value)) is not None]
    if not records:
        return _avro(pairs[0][1], topic) if pairs else {}
    field = next((name for name in records[0][1] if all(_is(record, name, key) for key, record in records)), None)
    return {} if field is None else {"key_field": field}


def _avro(value: bytes, topic: str) -> dict[str, str]:
    """What is no JSON is taken for Avro, whose schema a person has to put into the project."""
    if value[:1] != b"\0" or len(value) <= _WIRE_BYTES:
        return {"format": "avro", "schema": f"schemas/{topic}.avsc"}
    number = int.from_bytes(value[1:_WIRE_BYTES])
    return {"format": "avro", "wire": "confluent", "schema": f"{number}=schemas/{topic}.avsc"}


def _record(value: bytes) -> Mapping[str, Any] | None:
    try:
        return decoded(value)
    except NoObjectError:
        return None


def _is(record: Mapping[str, Any], name: str, key: bytes | None) -> bool:
    """Whether a field's value is what the key of its message says."""
    value = record.get(name)
    return (
        key is not None and isinstance(value, str | int) and not isinstance(value, bool) and str(value) == key_text(key)
    )
