"""Reads a part of a PostgreSQL relation straight into a Parquet data file: binary COPY, Arrow, Parquet.

It runs in the driver's threads when Spark is local and in tasks on the executors otherwise, and needs nothing but its
argument.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import adbc_driver_manager
import adbc_driver_postgresql.dbapi as adbc
import pyarrow as pa

from lakehouse.errors import SourceError, SourceUnavailableError
from lakehouse.iceberg.data_files import FileTarget, WrittenFile, write

_BATCH_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class PartRead:
    """One part of a read.

    Attributes:
        uri: libpq URI, password included.
        setup: statements that make the session see the run's snapshot.
        query: SELECT of the part.
        what: the table that it is for, for messages.
        target: the data file to write.
        constants: values of the engine's columns.
        watch: the cursor column, whose largest value is reported.
        repetitive: columns whose values repeat, by the source's statistics.
    """

    uri: str = field(repr=False)
    setup: tuple[str, ...]
    query: str
    what: str
    target: FileTarget
    constants: Mapping[str, Any]
    watch: str | None = None
    repetitive: tuple[str, ...] | None = None


def extract(part: PartRead) -> WrittenFile | None:
    """Read ``part`` into its file; ``None`` when it holds no row.

    Raises:
        SourceUnavailableError: the connection broke, or the snapshot is gone with the session that held it.
        SourceError: PostgreSQL refused the query.
    """
    try:
        return write(
            part.target, batches(part.uri, part.setup, part.query), part.constants, part.watch, part.repetitive
        )
    except adbc_driver_manager.Error as error:
        raise _translated(part.what, error) from None


def batches(uri: str, setup: tuple[str, ...], query: str) -> Iterator[pa.RecordBatch]:
    """The rows of ``query`` as Arrow record batches of about 16 MiB, in a session prepared by ``setup``."""
    with _reader(uri, setup, query) as reader:
        yield from reader


def read_table(uri: str, setup: tuple[str, ...], query: str, what: str) -> pa.Table:
    """All rows of ``query`` in memory, for what is known to be narrow: keys."""
    try:
        with _reader(uri, setup, query) as reader:
            found = reader.read_all()
    except adbc_driver_manager.Error as error:
        raise _translated(what, error) from None
    plain = [
        column.cast(column.type.storage_type) if isinstance(column.type, pa.BaseExtensionType) else column
        for column in found.columns
    ]  # numerics come as text that the driver wraps
    return pa.Table.from_arrays(plain, names=found.column_names)


@contextmanager
def _reader(uri: str, setup: tuple[str, ...], query: str) -> Iterator[pa.RecordBatchReader]:
    with adbc.connect(uri, autocommit=True) as connection, connection.cursor() as cursor:
        for statement in setup:
            cursor.execute(statement)
        cursor.adbc_statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": str(_BATCH_BYTES)})
        cursor.execute(query)
        yield cursor.fetch_record_batch()


def _translated(what: str, error: adbc_driver_manager.Error) -> SourceError:
    state = error.sqlstate or ""
    text = " ".join(str(error).split())
    lost = any(words in text for words in ("no connection", "server closed", "Failed to connect", "terminating"))
    if lost or state[:2] in {"08", "57", "53", "40"} or (state == "42704" and "snapshot" in text):
        return SourceUnavailableError(f"{what}: reading from PostgreSQL broke off: {text}.")
    return SourceError(f"{what}: PostgreSQL refused the read ({state}): {text}.")
