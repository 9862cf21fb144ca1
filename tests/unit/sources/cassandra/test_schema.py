"""What Cassandra says of a table, and how its types come into the lake."""

from types import SimpleNamespace
from typing import Any

import pytest

from lakehouse.errors import SourceError
from lakehouse.sources.cassandra.schema import Decode, describe, read_as


def session(**tables: dict[str, str]) -> Any:
    """A driver's session that knows keyspace ``app`` with ``tables``: their columns' types, the first two being the key."""

    def metadata(types: dict[str, str]) -> Any:
        columns = {name: SimpleNamespace(name=name, cql_type=kind) for name, kind in types.items()}
        key = list(columns.values())
        return SimpleNamespace(columns=columns, partition_key=key[:1], clustering_key=key[1:2])

    app = SimpleNamespace(tables={name: metadata(types) for name, types in tables.items()})
    keyspaces = {"app": app, "system": SimpleNamespace(tables={}), "system_auth": SimpleNamespace(tables={})}
    return SimpleNamespace(cluster=SimpleNamespace(metadata=SimpleNamespace(keyspaces=keyspaces)))


@pytest.mark.parametrize(
    ("cql", "lake"),
    [
        ("text", "string"),
        ("ascii", "string"),
        ("varchar", "string"),
        ("blob", "binary"),
    ],
)
def test_text_and_bytes_are_read_as_they_are(cql: str, lake: str) -> None:
    read = read_as("c", cql)
    assert (read.expression, read.lake_type, read.decode) == ('"c"', lake, Decode.AS_IS)


@pytest.mark.parametrize(
    ("cql", "lake"),
    [
        ("tinyint", "int"),
        ("smallint", "int"),
        ("int", "int"),
        ("bigint", "bigint"),
        ("counter", "bigint"),
        ("float", "float"),
        ("double", "double"),
        ("boolean", "boolean"),
    ],
)
def test_a_number_is_the_number_that_the_lake_has_for_it(cql: str, lake: str) -> None:
    read = read_as("c", cql)
    assert (read.expression, read.lake_type, read.decode) == ('"c"', lake, Decode.NUMBER)


@pytest.mark.parametrize(
    ("cql", "decode"),
    [
        ("uuid", Decode.UUID),
        ("timeuuid", Decode.UUID),
        ("decimal", Decode.DECIMAL),
        ("inet", Decode.TEXT),
        ("varint", Decode.TEXT),
        ("time", Decode.TEXT),
        ("duration", Decode.TEXT),
    ],
)
def test_a_plain_type_without_a_match_is_text(cql: str, decode: Decode) -> None:
    read = read_as("c", cql)
    assert (read.expression, read.lake_type, read.decode) == ('"c"', "string", decode)


@pytest.mark.parametrize(
    "cql",
    ["list<int>", "set<text>", "map<text, int>", "frozen<address>", "tuple<int, text>", "vector<float, 3>", "address"],
)
def test_a_type_with_parts_is_json_that_cassandra_makes(cql: str) -> None:
    read = read_as("c", cql)
    assert (read.expression, read.lake_type, read.decode) == ('to_json("c")', "string", Decode.JSON)


def test_a_timestamp_arrives_as_milliseconds_and_a_date_as_days() -> None:
    moment, day = read_as("c", "timestamp"), read_as("c", "date")
    assert (moment.expression, moment.lake_type, moment.decode) == (
        '"c"',
        "timestamp",
        Decode.MILLISECONDS,
    )
    assert (day.expression, day.lake_type, day.decode) == ('"c"', "date", Decode.DAYS)


def test_a_hostile_name_stays_a_name() -> None:
    assert read_as('a") FROM t; --', "set<int>").expression == 'to_json("a"") FROM t; --")'


def test_a_table_is_described_with_its_key_and_lake_names() -> None:
    found = describe(session(Events={"User Id": "uuid", "at": "timestamp", "n": "int"}), "app", '"Events"')
    assert found.cql == '"app"."Events"'
    assert found.relation.name == "app.Events"
    assert found.relation.key == ("user_id", "at")
    assert found.partition_key == ("User Id",)
    assert [(column.source_name, column.lake_type, column.nullable) for column in found.relation.columns] == [
        ("User Id", "string", False),
        ("at", "timestamp", False),
        ("n", "int", True),
    ]


def test_a_keyspace_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(SourceError, match=r"no keyspace 'apq'. Did you mean 'app'\? Correct `keyspace` in the profile"):
        describe(session(), "apq", "events")
    with pytest.raises(SourceError, match=r"There is: app\."):
        describe(session(), "x", "events")


def test_a_table_that_is_not_there_is_told_with_a_likely_one() -> None:
    with pytest.raises(SourceError, match=r"'app' has no table 'event'. Did you mean 'events'\? Correct `relation`"):
        describe(session(events={"id": "int"}), "app", "event")
