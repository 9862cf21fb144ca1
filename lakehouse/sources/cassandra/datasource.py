"""Cassandra as a Python data source of Spark: one task for each group of token ranges, rows as Arrow batches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition
from pyspark.sql.types import StructType

from lakehouse.sources.cassandra.arrow import to_batch
from lakehouse.sources.cassandra.connection import connect, translated
from lakehouse.sources.cassandra.options import CassandraOptions
from lakehouse.sources.cassandra.pages import pages
from lakehouse.sources.cassandra.query import CursorBound, select_range
from lakehouse.sources.cassandra.schema import CassandraTable
from lakehouse.sources.cassandra.token_ranges import TokenRange, split

MISFITS = "_misfits"


@dataclass(frozen=True)
class Read:
    """What is read: columns (lake names) of a table, within a bound, by that many tasks."""

    options: CassandraOptions
    table: CassandraTable
    columns: tuple[str, ...]
    bound: CursorBound | None
    splits: int

    def schema(self) -> str:
        """The DDL of the rows: the columns and ``_misfits``."""
        reads = self.table.reads
        fields = [f"`{name.replace('`', '``')}` {reads[name].lake_type}" for name in self.columns]
        return ", ".join([*fields, f"{MISFITS} string"])


@dataclass
class _Ranges(InputPartition):
    """The ranges of one task."""

    ranges: Sequence[TokenRange]


class _Reader(DataSourceReader):
    def __init__(self, read: Read) -> None:
        self._read = read

    def partitions(self) -> Sequence[InputPartition]:
        with connect(self._read.options) as session:
            token_map = session.cluster.metadata.token_map
            ring = [token.value for token in token_map.ring] if token_map else []
        return [_Ranges(group) for group in split(ring, self._read.splits)]

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        assert isinstance(partition, _Ranges)
        read, options = self._read, self._read.options
        doing = f"reading {read.table.relation.name}"
        with connect(options) as session, translated(options, doing):
            prepared = session.prepare(select_range(read.table, read.columns, read.bound))
            prepared.fetch_size = options.page_size
            bounds = [value for _, value in read.bound.conditions()] if read.bound else []
            for part in partition.ranges:
                statement = prepared.bind([part.start, part.end, *bounds])
                for rows in pages(session, statement, options.retries, options.request_timeout_s):
                    if rows:
                        yield to_batch(rows, read.table, read.columns)


def read_table(
    spark: SparkSession,
    options: CassandraOptions,
    table: CassandraTable,
    *,
    columns: Sequence[str],
    cursor: str | None = None,
    lower: Any = None,
    upper: Any = None,
    splits: int,
) -> DataFrame:
    """The rows of ``table``: ``columns`` by their lake names and types, and ``_misfits`` (see ``schema``).

    Args:
        columns: lake names; no other column leaves the source.
        cursor: lake name of the column that ``lower`` (included) and ``upper`` (excluded) bound; both UTC.
        splits: tasks that read at the same time.
    """
    bound = CursorBound(cursor, lower, upper) if cursor else None
    read = Read(options, table, tuple(columns), bound, splits)

    class CassandraDataSource(DataSource):
        """Carries what is read in itself, so that no credential is an option that a plan would show."""

        @classmethod
        def name(cls) -> str:
            return "lakehouse_cassandra"

        def schema(self) -> str | StructType:
            return read.schema()

        def reader(self, schema: StructType) -> DataSourceReader:
            return _Reader(read)

    spark.dataSource.register(CassandraDataSource)
    return spark.read.format("lakehouse_cassandra").load()
