"""What a topic is like, by its latest messages: for a first contract, which a person then reads."""

from collections.abc import Mapping, Sequence
from typing import Any

from lakehouse.sources.json_objects import NoObjectError, decoded
from lakehouse.sources.kafka.messages import Message, key_text, unframed
from lakehouse.sources.likely import text_columns
from lakehouse.sources.relation import SourceColumn


def likely(messages: Sequence[Message], topic: str, own: Sequence[str]) -> tuple[list[SourceColumn], dict[str, str]]:
    """The fields of the values, where these are JSON objects, and the options: the field that the messages' keys are values of;
    or how values are written that are no JSON.

    Args:
        own: the lake names that are the engine's.
    """
    pairs = [(message.key(), value) for message in messages if (value := message.value()) is not None]
    records = [(key, record) for key, value in pairs if (record := _record(value)) is not None]
    columns = text_columns([record for _, record in records], own)
    if not records:
        return columns, _avro(pairs[0][1], topic) if pairs else {}
    field = next((name for name in records[0][1] if all(_is(record, name, key) for key, record in records)), None)
    return columns, {} if field is None else {"key_field": field}


def _avro(value: bytes, topic: str) -> dict[str, str]:
    """What is no JSON is taken for Avro, whose schema a person has to put into the project."""
    number, framed = unframed(value)
    if number is None or not framed:
        return {"format": "avro", "schema": f"schemas/{topic}.avsc"}
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
