"""What PostgreSQL says of a relation: columns, types, key, size."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg2.extensions import connection as Connection

from lakehouse.errors import SourceError, suggest
from lakehouse.paths import column_names
from lakehouse.sources.postgres.quoting import quote_identifier
from lakehouse.sources.postgres.types import ReadAs, read_as
from lakehouse.sources.relation import SourceColumn, SourceRelation

_PART = re.compile(r'"((?:[^"]|"")+)"|([^."]+)')
_FIND = """
SELECT c.oid, n.nspname, c.relname, c.relkind,
       CASE WHEN c.relkind IN ('r', 'm', 'p') THEN
         (SELECT max(pg_relation_size(leaf.oid) / current_setting('block_size')::int)
            FROM pg_class leaf
           WHERE leaf.oid IN (SELECT c.oid UNION SELECT inhrelid FROM pg_inherits WHERE inhparent = c.oid
                              UNION SELECT relid FROM pg_partition_tree(c.oid))) END
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = %s AND c.relname = %s AND c.relkind IN ('r', 'v', 'm', 'p', 'f')
"""
_COLUMNS = """
WITH RECURSIVE base(attnum, typid, typmod) AS (
    SELECT a.attnum, a.atttypid, a.atttypmod FROM pg_attribute a
     WHERE a.attrelid = %(oid)s AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT b.attnum, t.typbasetype, CASE WHEN t.typtypmod >= 0 THEN t.typtypmod ELSE b.typmod END
      FROM base b JOIN pg_type t ON t.oid = b.typid WHERE t.typtype = 'd'
)
SELECT a.attname, format_type(a.atttypid, a.atttypmod), t.typname, b.typmod, NOT a.attnotnull,
       a.attrelid || '.' || a.attnum
  FROM pg_attribute a
  JOIN base b ON b.attnum = a.attnum
  JOIN pg_type t ON t.oid = b.typid AND t.typtype <> 'd'
 WHERE a.attrelid = %(oid)s AND a.attnum > 0 AND NOT a.attisdropped
 ORDER BY a.attnum
"""
_KEY = """
SELECT a.attname FROM pg_index i
  CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(attnum, position)
  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
 WHERE i.indrelid = %s AND i.indisprimary ORDER BY k.position
"""
_RELATIONS = """
SELECT format('%%I.%%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
   AND n.nspname NOT LIKE 'pg_toast%%' AND n.nspname NOT LIKE 'pg_temp%%'
   AND (%(schema)s::text IS NULL OR n.nspname = %(schema)s) AND NOT c.relispartition
 ORDER BY 1
"""


@dataclass(frozen=True)
class PostgresRelation:
    """A relation of PostgreSQL and how to read it.

    Attributes:
        sql: the qualified, quoted name.
        reads: how to read each column, by lake name, in the order of ``relation.columns``.
        blocks: size of the heap in pages; of the largest partition where it has some; ``None`` where it has no heap.
        is_heap: whether rows have a ``ctid`` and an ``xmin``.
    """

    sql: str
    relation: SourceRelation
    reads: dict[str, ReadAs]
    blocks: int | None

    @property
    def is_heap(self) -> bool:
        return self.blocks is not None


def parse_relation(text: str) -> tuple[str, str]:
    """``schema.relation`` as its two names; the schema is ``public`` when absent, double quotes protect dots."""
    parts = [quoted.replace('""', '"') if quoted else plain for quoted, plain in _PART.findall(text)]
    if _PART.sub("", text).strip(".") or not 1 <= len(parts) <= 2:
        raise SourceError(
            f"{text!r} does not name a relation; expected schema.relation, "
            'with double quotes around a part that holds a dot (public."odd.name").'
        )
    return ("public", parts[0]) if len(parts) == 1 else (parts[0], parts[1])


def relations(connection: Connection, schema: str | None) -> list[str]:
    """The relations of the database, or of one schema, as ``schema.relation``; a table's partitions come with it."""
    with connection.cursor() as cursor:
        cursor.execute(_RELATIONS, {"schema": schema})
        return [row[0] for row in cursor.fetchall()]


def describe(
    connection: Connection, relation: str, timezone: str, what: str, names: Mapping[str, str] | None = None
) -> PostgresRelation:
    """What ``relation`` is like.

    Args:
        timezone: the zone of its timestamps without one.
        what: what is done for which table, for messages.
        names: lake names by names at the source, where they are not those that follow from these.

    Raises:
        SourceError: there is no such relation, or it has no column.
    """
    schema, name = parse_relation(relation)
    with connection.cursor() as cursor:
        cursor.execute(_FIND, (schema, name))
        found = cursor.fetchone()
        if found is None:
            raise SourceError(
                f"{what}: relation {relation!r} is not there. {suggest(relation, relations(connection, None))}",
                remedy="Correct `relation` in the registry file, or grant the role access to its schema.",
            )
        oid, _, _, kind, blocks = found
        cursor.execute(_COLUMNS, {"oid": oid})
        rows = cursor.fetchall()
        cursor.execute(_KEY, (oid,))
        key = [row[0] for row in cursor.fetchall()]
    if not rows:
        raise SourceError(f"{what}: relation {relation!r} has no column to read.")
    by_rule = column_names(row[0] for row in rows)
    lake_name = {row[0]: (names or {}).get(row[0], name) for row, name in zip(rows, by_rule, strict=True)}
    reads = {lake_name[row[0]]: read_as(row[0], row[2], row[3], timezone) for row in rows}
    columns = tuple(_column(row, lake_name[row[0]], reads[lake_name[row[0]]]) for row in rows)
    return PostgresRelation(
        sql=f"{quote_identifier(schema)}.{quote_identifier(name)}",
        relation=SourceRelation(f"{schema}.{name}", columns, tuple(lake_name[column] for column in key)),
        reads=reads,
        blocks=int(blocks or 0) if kind in {"r", "m", "p"} else None,
    )


def _column(row: Sequence[Any], name: str, read: ReadAs) -> SourceColumn:
    """The column in a row of the catalog's answer."""
    return SourceColumn(
        source_name=row[0],
        name=name,
        source_type=row[1],
        lake_type=read.lake_type,
        nullable=row[4],
        cursor=read.cursor,
        identity=row[5],
    )
