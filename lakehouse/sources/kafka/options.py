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
        schema_files: the path, from the project's folder, of the Avro schema (``.avsc``); the registry calls it ``schema``.
            Where messages say the number of their schema, the path of each, ``7=registry/a.avsc, 9=registry/b.avsc``: bytes
            of one schema may be bytes of another, and say something else.
        wire: see :class:`Wire`.
        key_field: the field that a message's key, a text, is the value of; absent: a key that is a JSON object names its
            fields.
        lost: see :class:`Lost`.
    """

    knows: ClassVar[str] = "Kafka knows"

    format: Format = Format.JSON
    schema_files: str | None = Field(default=None, alias="schema")
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
        if (found.format is Format.AVRO) != (found.schema_files is not None):
            raise SourceError(
                f"{doing}: option 'format' is {found.format}, and option 'schema' is {found.schema_files or 'not there'}; "
                "expected both of them for Avro, whose messages do not bear their schema, and no schema for JSON.",
                remedy="Write `options: {format: avro, schema: registry/….avsc}`, or none of the two.",
            )
        numbered = [number is not None for number in found.schemas]
        if (len(numbered) > 1 or any(numbered)) if found.wire is Wire.PLAIN else not all(numbered):
            raise SourceError(
                f"{doing}: option 'schema' is {found.schema_files!r}, and option 'wire' is {found.wire}; expected one path for "
                "`plain`, and for `confluent`, where each message says the number of its schema, the path of each.",
                remedy="Write `schema: registry/a.avsc`, or `schema: '7=registry/a.avsc, 9=registry/b.avsc'`.",
            )
        return found

    @property
    def schemas(self) -> dict[int | None, str]:
        """The path of each schema by its number; by ``None`` where messages say none."""
        found: dict[int | None, str] = {}
        for entry in (self.schema_files or "").split(","):
            number, equals, path = entry.strip().partition("=")
            if equals and number.strip().isdecimal():
                found[int(number)] = path.strip()
            elif entry.strip():
                found[None] = entry.strip()
        return found

    def deciding(self) -> dict[str, str]:
        """Those that decide which values a message arrives with, by name."""
        said = self.model_dump(by_alias=True, exclude_none=True, exclude={"lost"})
        return {name: str(value) for name, value in said.items()}
