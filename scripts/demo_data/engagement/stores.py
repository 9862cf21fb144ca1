"""Writing the generated rows: COPY into PostgreSQL, batches by partition into Cassandra.

In Cassandra a change is an insert of the key and what changes.
"""

import io
from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from cassandra.concurrent import execute_concurrent
from cassandra.query import BatchStatement, BatchType
from psycopg2 import sql
from psycopg2.extras import execute_batch

from scripts.demo_data.engagement.people import Row
from scripts.demo_data.engagement.schema import CASSANDRA_KEYS, POSTGRES_KEYS

_BATCH = 60


def copy_rows(postgres: Any, table: str, rows: Sequence[Row]) -> None:
    """Add ``rows`` to a PostgreSQL table."""
    if not rows:
        return
    columns = list(rows[0])
    text = io.StringIO("".join("\t".join(_copy_text(row[name]) for name in columns) + "\n" for row in rows))
    with postgres.cursor() as cursor:
        names = sql.SQL(", ").join(map(sql.Identifier, columns))
        cursor.copy_expert(sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names), text)


def insert_rows(cassandra: Any, keyspace: str, table: str, rows: Sequence[Row]) -> None:
    """Add ``rows`` to a Cassandra table, in unlogged batches of one partition each."""
    if not rows:
        return
    columns = list(rows[0])
    marks = ", ".join("?" * len(columns))
    statement = cassandra.prepare(f"INSERT INTO {keyspace}.{table} ({', '.join(columns)}) VALUES ({marks})")
    partition = CASSANDRA_KEYS[table][0]
    by_partition: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        by_partition[row[partition]].append(row)
    batches = []
    for group in by_partition.values():
        for start in range(0, len(group), _BATCH):
            batch = BatchStatement(batch_type=BatchType.UNLOGGED)
            for row in group[start : start + _BATCH]:
                batch.add(statement, [row[name] for name in columns])
            batches.append((batch, ()))
    execute_concurrent(cassandra, batches, concurrency=64, raise_on_first_error=True)


def update_rows(postgres: Any, table: str, rows: Sequence[Row]) -> None:
    """Change rows of a PostgreSQL table; each of ``rows`` has the key and what changes."""
    if not rows:
        return
    key = POSTGRES_KEYS[table]
    columns = [name for name in rows[0] if name not in key]
    statement = sql.SQL("UPDATE {} SET {} WHERE {}").format(
        sql.Identifier(table), _assigned(columns, ", "), _assigned(key, " AND ")
    )
    with postgres.cursor() as cursor:
        execute_batch(cursor, statement, [[_argument(row[name]) for name in (*columns, *key)] for row in rows])


def remove_rows(postgres: Any, table: str, rows: Sequence[Row]) -> None:
    """Delete ``rows`` of a PostgreSQL table by their keys."""
    key = POSTGRES_KEYS[table]
    statement = sql.SQL("DELETE FROM {} WHERE {}").format(sql.Identifier(table), _assigned(key, " AND "))
    with postgres.cursor() as cursor:
        execute_batch(cursor, statement, [[_argument(row[name]) for name in key] for row in rows])


def delete_rows(cassandra: Any, keyspace: str, table: str, rows: Sequence[Row]) -> None:
    """Delete ``rows`` of a Cassandra table by their keys."""
    key = CASSANDRA_KEYS[table]
    conditions = " AND ".join(f"{name} = ?" for name in key)
    statement = cassandra.prepare(f"DELETE FROM {keyspace}.{table} WHERE {conditions}")
    execute_concurrent(cassandra, [(statement, [row[name] for name in key]) for row in rows], concurrency=64)


def _assigned(columns: Sequence[str], between: str) -> sql.Composable:
    return sql.SQL(between).join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in columns)


def _argument(value: Any) -> Any:
    return str(value) if isinstance(value, UUID) else value


def _copy_text(value: Any) -> str:
    if value is None:
        return r"\N"
    return str(value).replace("\\", r"\\").replace("\t", r"\t").replace("\n", r"\n").replace("\r", r"\r")
