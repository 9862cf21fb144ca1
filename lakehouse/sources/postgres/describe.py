"""What PostgreSQL says of a relation: columns, types, key, size."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from psycopg2.extensions import connection as Connection

from lakehouse.errors import SourceError, suggest
from lakehouse.paths import column_names
from lakehouse.sources.postgres.types import ReadAs, quote_identifier, read_as
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
SELECT a.attname, format_type(a.atttypid, a.atttypmod), t.typname, b.typmod, NOT a.attnotnull
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
SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
   AND n.nspname NOT LIKE 'pg_toast%'
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

    def renamed(self, names: Mapping[str, str]) -> "PostgresRelation":
        """The same relation with other lake names (old to new)."""
        columns = tuple(replace(column, name=names.get(column.name, column.name)) for column in self.relation.columns)
        key = tuple(names.get(name, name) for name in self.relation.key)
        return replace(
            self,
            relation=replace(self.relation, columns=columns, key=key),
            reads={names.get(name, name): read for name, read in self.reads.items()},
        )

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


def describe(connection: Connection, relation: str, timezone: str, what: str) -> PostgresRelation:
    """What ``relation`` is like.

    Args:
        timezone: the zone of its timestamps without one.
        what: the table that it is read for, for messages.

    Raises:
        SourceError: there is no such relation, or it has no column.
    """
    schema, name = parse_relation(relation)
    with connection.cursor() as cursor:
        cursor.execute(_FIND, (schema, name))
        found = cursor.fetchone()
        if found is None:
            cursor.execute(_RELATIONS)
            known = [row[0] for row in cursor.fetchall()]
            raise SourceError(
                f"{what}: relation {relation!r} is not there. {suggest(relation, known)}",
                remedy="Correct `relation` in the registry file, or grant the role access to its schema.",
            )
        oid, _, _, kind, blocks = found
        cursor.execute(_COLUMNS, {"oid": oid})
        rows = cursor.fetchall()
        cursor.execute(_KEY, (oid,))
        key = [row[0] for row in cursor.fetchall()]
    if not rows:
        raise SourceError(f"{what}: relation {relation!r} has no column to read.")
    names = column_names(row[0] for row in rows)
    reads = {lake: read_as(row[0], row[2], row[3], timezone) for lake, row in zip(names, rows, strict=True)}
    columns = tuple(
        SourceColumn(row[0], lake, row[1], reads[lake].lake_type, row[4]) for lake, row in zip(names, rows, strict=True)
    )
    lake_name = dict(zip((row[0] for row in rows), names, strict=True))
    return PostgresRelation(
        sql=f"{quote_identifier(schema)}.{quote_identifier(name)}",
        relation=SourceRelation(f"{schema}.{name}", columns, tuple(lake_name[column] for column in key)),
        reads=reads,
        blocks=int(blocks or 0) if kind in {"r", "m", "p"} else None,
    )
