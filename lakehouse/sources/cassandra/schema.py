"""What Cassandra says of a table, and how each of its types comes into the lake.

A collection arrives as JSON, which Cassandra makes of it. A date that the lake cannot hold becomes NULL and goes to
``_misfits``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from lakehouse.errors import SourceError, suggest
from lakehouse.paths import column_names
from lakehouse.sources.cassandra.quoting import quote_name
from lakehouse.sources.relation import CursorKind, SourceColumn, SourceRelation


class Decode(StrEnum):
    """What becomes of a cell's bytes."""

    AS_IS = "as is"
    NUMBER = "number"
    UUID = "uuid"
    MILLISECONDS = "milliseconds"
    DAYS = "days"
    DECIMAL = "decimal"
    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True)
class ReadAs:
    """How one column is read: the CQL that selects it, its types there and in the lake, and what becomes of its bytes."""

    expression: str
    cql_type: str
    lake_type: str
    decode: Decode


@dataclass(frozen=True)
class CassandraTable:
    """A table of Cassandra and how to read it.

    Attributes:
        cql: the qualified, quoted name.
        partition_key: names at the source.
        reads: how to read each column, by lake name.
    """

    cql: str
    relation: SourceRelation
    partition_key: tuple[str, ...]
    reads: Mapping[str, ReadAs]


_AS_IS = {"text": "string", "ascii": "string", "varchar": "string", "blob": "binary"}
_NUMBERS = {
    "int": "int",
    "smallint": "int",
    "tinyint": "int",
    "bigint": "bigint",
    "counter": "bigint",
    "float": "float",
    "double": "double",
    "boolean": "boolean",
}
_CURSORS = {
    "timestamp": CursorKind.MOMENT,
    "date": CursorKind.DATE,
    "int": CursorKind.INTEGER,
    "bigint": CursorKind.INTEGER,
}
_UUIDS = {"uuid", "timeuuid"}
_BY_TEXT = {"inet", "varint", "time", "duration"}


def read_as(column: str, cql_type: str) -> ReadAs:
    """How to read a column of that CQL type. Whatever has no match in Spark is text: JSON for what has parts."""
    name = quote_name(column)
    for kinds, decode in ((_AS_IS, Decode.AS_IS), (_NUMBERS, Decode.NUMBER)):
        if cql_type in kinds:
            return ReadAs(name, cql_type, kinds[cql_type], decode)
    if cql_type == "timestamp":
        return ReadAs(name, cql_type, "timestamp", Decode.MILLISECONDS)
    if cql_type == "date":
        return ReadAs(name, cql_type, "date", Decode.DAYS)
    if cql_type in _UUIDS:
        return ReadAs(name, cql_type, "string", Decode.UUID)
    if cql_type == "decimal":
        return ReadAs(name, cql_type, "string", Decode.DECIMAL)
    if cql_type in _BY_TEXT:
        return ReadAs(name, cql_type, "string", Decode.TEXT)
    return ReadAs(f"to_json({name})", cql_type, "string", Decode.JSON)


def describe(session: Any, keyspace: str, table: str, names: Mapping[str, str] | None = None) -> CassandraTable:
    """What ``table`` of ``keyspace`` is like, by the driver's metadata.

    Args:
        names: lake names by names at the source, where they are not those that follow from these.

    Raises:
        SourceError: there is no such keyspace or table.
    """
    metadata = session.cluster.metadata
    known_keyspace = metadata.keyspaces.get(keyspace)
    if known_keyspace is None:
        known = [name for name in metadata.keyspaces if not name.startswith("system")]
        raise SourceError(
            f"Cassandra has no keyspace {keyspace!r}. {suggest(keyspace, known)}",
            remedy="Correct `keyspace` in the profile.",
        )
    wanted = table.strip('"').replace('""', '"') if table.startswith('"') else table
    found = known_keyspace.tables.get(wanted)
    if found is None:
        raise SourceError(
            f"Cassandra keyspace {keyspace!r} has no table {table!r}. {suggest(wanted, list(known_keyspace.tables))}",
            remedy="Correct `relation` in the registry file.",
        )
    by_rule = dict(zip(found.columns, column_names(found.columns), strict=True))
    lake_name = by_rule | {source: name for source, name in (names or {}).items() if source in by_rule}
    types = {source: str(column.cql_type) for source, column in found.columns.items()}
    reads = {name: read_as(source, types[source]) for source, name in lake_name.items()}
    key = [column.name for column in (*found.partition_key, *found.clustering_key)]
    columns = tuple(
        SourceColumn(source, name, types[source], reads[name].lake_type, source not in key, _cursor(reads[name]))
        for source, name in lake_name.items()
    )
    return CassandraTable(
        cql=f"{quote_name(keyspace)}.{quote_name(wanted)}",
        relation=SourceRelation(f"{keyspace}.{wanted}", columns, tuple(lake_name[name] for name in key)),
        partition_key=tuple(column.name for column in found.partition_key),
        reads=reads,
    )


def _cursor(read: ReadAs) -> CursorKind | None:
    return _CURSORS.get(read.lake_type)


def tables(session: Any, keyspace: str) -> list[str]:
    """The tables of ``keyspace``, spelled as a registry file names them; none where there is no such keyspace."""
    known = session.cluster.metadata.keyspaces.get(keyspace)
    names = sorted(known.tables) if known else []
    return [name if name == name.lower() else quote_name(name) for name in names]
