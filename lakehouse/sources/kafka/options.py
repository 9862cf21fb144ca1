"""What a registry file may say of how a topic's messages are written."""

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar, Self

from pydantic import Field

from lakehouse.errors import SourceError
from lakehouse.sources.options import SourceOptions


class Format(StrEnum):
    """How a message's value is written: as a JSON object, or as an Avro record without its schema."""

    JSON = "json"
    AVRO = "avro"


class Wire(StrEnum):
    """What stands before a value: nothing, or a zero byte and the number of its schema, as Confluent's registry has it."""

    PLAIN = "plain"
    CONFLUENT = "confluent"


class Lost(StrEnum):
    """What becomes of a table that was not read before the broker threw messages away: it stops, or it goes on without."""

    STOP = "stop"
    ACCEPT = "accept"


class Options(SourceOptions):
    """See :class:`lakehouse.registry.tables.Origin`.

    Attributes:
        format: see :class:`Format`.
        schema_file: the path, from the project's folder, of the Avro schema (``.avsc``); the registry calls it ``schema``.
        wire: see :class:`Wire`.
        key_field: the field that a message's key, a text, is the value of; absent: a key that is a JSON object names its
            fields.
        lost: see :class:`Lost`.
    """

    knows: ClassVar[str] = "Kafka knows"

    format: Format = Format.JSON
    schema_file: str | None = Field(default=None, alias="schema")
    wire: Wire = Wire.PLAIN
    key_field: str | None = None
    lost: Lost = Lost.STOP

    @classmethod
    def said(cls, options: Mapping[str, str], doing: str) -> Self:
        """What ``options`` say.

        Raises:
            SourceError: they say what there is not, or Avro and no schema.
        """
        found = super().said(options, doing)
        if (found.format is Format.AVRO) != (found.schema_file is not None):
            raise SourceError(
                f"{doing}: option 'format' is {found.format}, and option 'schema' is {found.schema_file or 'not there'}; "
                "expected both of them for Avro, whose messages do not bear their schema, and no schema for JSON.",
                remedy="Write `options: {format: avro, schema: registry/….avsc}`, or none of the two.",
            )
        return found

    def deciding(self) -> dict[str, str]:
        """Those that decide which values a message arrives with, by name."""
        said = self.model_dump(by_alias=True, exclude_none=True, exclude={"lost"})
        return {name: str(value) for name, value in said.items()}
