"""Reads some token ranges of a Cassandra table as Arrow, page by page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from lakehouse.sources.cassandra.arrow import to_batch
from lakehouse.sources.cassandra.connection import connect, translated
from lakehouse.sources.cassandra.pages import pages
from lakehouse.sources.cassandra.query import conditions, select_range
from lakehouse.sources.cassandra.schema import CassandraTable
from lakehouse.sources.cassandra.settings import Settings
from lakehouse.sources.cassandra.token_ranges import TokenRange
from lakehouse.sources.overlapping import RowsOf, uncovered
from lakehouse.sources.reader import Bound


@dataclass(frozen=True)
class CassandraPart:
    """Some token ranges of a read.

    Attributes:
        columns: lake names.
        keys: only the rows with these keys; absent: all.
        only_keys: whether it is a read of keys: then :data:`COVERED` takes the place of what fits no type.
        session: of the driver, where it is read by a thread; an executor connects itself.
    """

    source: Settings = field(repr=False)
    table: CassandraTable
    columns: tuple[str, ...]
    ranges: Sequence[TokenRange]
    doing: str
    bound: Bound | None = None
    keys: pa.Table | None = field(default=None, repr=False)
    only_keys: bool = False
    session: Any = field(default=None, repr=False, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "session": None}

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows, a batch a page.

        Raises:
            SourceUnavailableError: no node answered, after all attempts.
            SourceError: Cassandra refused.
        """
        if self.session is not None:
            yield from self._batches(self.session)
            return
        with connect(self.source) as session:
            yield from self._batches(session)

    def _batches(self, session: Any) -> Iterator[pa.RecordBatch]:
        rows = RowsOf(self.keys)
        with translated(self.source, self.doing):
            prepared = session.prepare(select_range(self.table, self.columns, self.bound))
            prepared.fetch_size = self.source.page_size
            for part in self.ranges:
                values = [value for _, value in conditions(self.bound)]
                statement = prepared.bind([part.start, part.end, *values])
                for cells in pages(session, statement, self.source.retries, self.source.request_timeout_s):
                    if cells:
                        batch = to_batch(cells, self.table, self.columns)
                        yield uncovered(batch, self.columns) if self.only_keys else rows.among(batch)
