"""Writing the generated rows: COPY into PostgreSQL, batches by partition into Cassandra."""

import io
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from cassandra.concurrent import execute_concurrent
from cassandra.query import BatchStatement, BatchType
from psycopg2 import sql

from scripts.demo_data.engagement.people import Row
from scripts.demo_data.engagement.schema import CASSANDRA_KEYS

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


def delete_rows(cassandra: Any, keyspace: str, table: str, rows: Sequence[Row]) -> None:
    """Delete ``rows`` of a Cassandra table by their keys."""
    key = CASSANDRA_KEYS[table]
    conditions = " AND ".join(f"{name} = ?" for name in key)
    statement = cassandra.prepare(f"DELETE FROM {keyspace}.{table} WHERE {conditions}")
    execute_concurrent(cassandra, [(statement, [row[name] for name in key]) for row in rows], concurrency=64)


def _copy_text(value: Any) -> str:
    if value is None:
        return r"\N"
    return str(value).replace("\\", r"\\").replace("\t", r"\t").replace("\n", r"\n").replace("\r", r"\r")
