"""What may be said of how messages are written."""

import pytest

from lakehouse.errors import SourceError
from lakehouse.sources.kafka.options import Format, Lost, Options, Wire


def test_json_without_a_head_is_what_nothing_says() -> None:
    found = Options.said({}, "ingesting events")
    assert (found.format, found.wire, found.lost, found.key_field) == (Format.JSON, Wire.PLAIN, Lost.STOP, None)


def test_what_is_accepted_as_lost_does_not_decide_what_was_read() -> None:
    said = {"format": "avro", "schema": "a.avsc", "key_field": "id"}
    with_lost = Options.said(said | {"lost": "accept"}, "ingesting events")
    assert with_lost.deciding() == Options.said(said, "ingesting events").deciding() == said | {"wire": "plain"}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"format": "xml"}, "option 'format' of `source:` is 'xml'"),
        ({"nope": "1"}, "Kafka knows format, schema, wire, key_field, lost."),
        ({"format": "avro"}, "option 'format' is avro, and option 'schema' is not there"),
        (
            {"format": "avro", "schema": "a.avsc", "wire": "confluent"},
            "expected one path for `plain`, and for `confluent`",
        ),
        ({"format": "avro", "schema": "7=a.avsc"}, "option 'schema' is '7=a.avsc', and option 'wire' is plain"),
        ({"schema": "a.avsc"}, "option 'format' is json, and option 'schema' is a.avsc"),
    ],
)
def test_what_there_is_not_is_refused(options: dict[str, str], told: str) -> None:
    with pytest.raises(SourceError) as error:
        Options.said(options, "ingesting events")
    assert told in str(error.value)
    assert str(error.value).startswith("ingesting events: ")


def test_each_schema_has_its_number_where_messages_say_it() -> None:
    said = {"format": "avro", "wire": "confluent", "schema": "7=a.avsc, 9 = b=c.avsc"}
    assert Options.said(said, "ingesting events").schemas == {7: "a.avsc", 9: "b=c.avsc"}
    assert Options.said({"format": "avro", "schema": "a=b.avsc"}, "ingesting events").schemas == {None: "a=b.avsc"}
