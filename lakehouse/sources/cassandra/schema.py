"""What Cassandra says of a table, and how each of its types comes into the lake.

Cassandra converts where it can, so that Python handles plain numbers and text: a timestamp arrives as milliseconds,
a collection as JSON. A date that the lake cannot hold becomes NULL and goes to ``_misfits``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from lakehouse.errors import SourceError, suggest
from lakehouse.paths import column_names
from lakehouse.sources.relation import SourceColumn, SourceRelation


class Decode(StrEnum):
    """What Python does to a value as the driver gives it."""

    AS_IS = "as is"
    MILLISECONDS = "milliseconds"
    DAYS = "days"
    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True)
class ReadAs:
    """How one column is read: the CQL that selects it, its type in the lake, and what Python does to it."""

    expression: str
    lake_type: str
    decode: Decode = Decode.AS_IS


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

    def renamed(self, names: Mapping[str, str]) -> "CassandraTable":
        """The same table with other lake names (old to new)."""
        columns = tuple(replace(column, name=names.get(column.name, column.name)) for column in self.relation.columns)
        key = tuple(names.get(name, name) for name in self.relation.key)
        return replace(
            self,
            relation=replace(self.relation, columns=columns, key=key),
            reads={names.get(name, name): read for name, read in self.reads.items()},
        )


_AS_IS = {
    "text": "string",
    "ascii": "string",
    "varchar": "string",
    "int": "int",
    "smallint": "int",
    "tinyint": "int",
    "bigint": "bigint",
    "counter": "bigint",
    "float": "float",
    "double": "double",
    "boolean": "boolean",
    "blob": "binary",
}
_BY_TEXT = {"uuid", "timeuuid", "inet", "varint", "decimal", "time", "duration"}


def quote_name(name: str) -> str:
    """``name`` as a quoted CQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def read_as(column: str, cql_type: str) -> ReadAs:
    """How to read a column of that CQL type. Whatever has no match in Spark is text: JSON for what has parts."""
    name = quote_name(column)
    if cql_type in _AS_IS:
        return ReadAs(name, _AS_IS[cql_type])
    if cql_type == "timestamp":
        return ReadAs(f"to_unix_timestamp({name})", "timestamp", Decode.MILLISECONDS)
    if cql_type == "date":
        return ReadAs(name, "date", Decode.DAYS)
    if cql_type in _BY_TEXT:
        return ReadAs(name, "string", Decode.TEXT)
    return ReadAs(f"to_json({name})", "string", Decode.JSON)


def describe(session: Any, keyspace: str, table: str) -> CassandraTable:
    """What ``table`` of ``keyspace`` is like, by the driver's metadata.

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
    sources = list(found.columns)
    names = column_names(sources)
    reads = {
        lake: read_as(source, str(found.columns[source].cql_type)) for lake, source in zip(names, sources, strict=True)
    }
    lake_name = dict(zip(sources, names, strict=True))
    key = [column.name for column in (*found.partition_key, *found.clustering_key)]
    columns = tuple(
        SourceColumn(source, lake, str(found.columns[source].cql_type), reads[lake].lake_type, source not in key)
        for source, lake in lake_name.items()
    )
    return CassandraTable(
        cql=f"{quote_name(keyspace)}.{quote_name(wanted)}",
        relation=SourceRelation(f"{keyspace}.{wanted}", columns, tuple(lake_name[name] for name in key)),
        partition_key=tuple(column.name for column in found.partition_key),
        reads=reads,
    )
