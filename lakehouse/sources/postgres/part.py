"""Reads a part of a PostgreSQL relation as Arrow: binary COPY, without a Python object for a value.

A part needs nothing but itself: it is read in a thread of the driver or in a task on an executor.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import adbc_driver_manager
import adbc_driver_postgresql.dbapi as adbc
import pyarrow as pa

from lakehouse.errors import SourceError, SourceUnavailableError, one_line
from lakehouse.sources.postgres.connection import refusal

_BATCH_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class PostgresPart:
    """One part of a read.

    Attributes:
        uri: libpq URI, password included.
        setup: statements that make the session see the run's snapshot.
        query: SELECT of the part.
        doing: what it is read for, for messages.
    """

    uri: str = field(repr=False)
    setup: tuple[str, ...]
    query: str
    doing: str

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows as record batches of about 16 MiB; numerics of any precision come as text.

        Raises:
            SourceUnavailableError: the connection broke, or the snapshot is gone with the session that held it.
            SourceError: PostgreSQL refused the query.
        """
        try:
            with self._reader() as reader:
                for batch in reader:
                    yield _plain(batch)
        except adbc_driver_manager.Error as error:
            raise _translated(self.doing, error) from None

    @contextmanager
    def _reader(self) -> Iterator[pa.RecordBatchReader]:
        with adbc.connect(self.uri, autocommit=True) as connection, connection.cursor() as cursor:
            for statement in self.setup:
                cursor.execute(statement)
            cursor.adbc_statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": str(_BATCH_BYTES)})
            cursor.execute(self.query)
            yield cursor.fetch_record_batch()


def _plain(batch: pa.RecordBatch) -> pa.RecordBatch:
    """``batch`` without types that only the driver knows."""
    arrays = [array.storage if isinstance(array, pa.ExtensionArray) else array for array in batch.columns]
    return pa.RecordBatch.from_arrays(arrays, names=batch.schema.names)


def _translated(doing: str, error: adbc_driver_manager.Error) -> SourceError:
    state = error.sqlstate or ""
    text = one_line(error)
    lost = any(words in text for words in ("no connection", "server closed", "Failed to connect", "terminating"))
    if lost or state[:2] in {"08", "57", "53", "40"} or (state == "42704" and "snapshot" in text):
        return SourceUnavailableError(f"{doing}: reading from PostgreSQL broke off: {text}.")
    if state == "42501":
        return SourceError(
            f"{doing}: the role may not read what it needs: {text}.",
            remedy="GRANT it SELECT on the relation and USAGE on its schema.",
        )
    return SourceError(f"{doing}: {refusal(state, text)}.")
