"""Bringing the parts of a read to where they are needed: into data files, into memory, or into a DataFrame of Spark.

Threads of the driver read where that is nearest: on one machine, from a source that leaves Python's lock alone, and where
rows are few. Else tasks on the executors do.
"""

import gc
import pickle
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, wait
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition
from pyspark.sql.types import StructType

from lakehouse.iceberg.arrow_types import arrow_type
from lakehouse.iceberg.data_files import FileTarget, WrittenFile, write
from lakehouse.iceberg.lake import Lake
from lakehouse.iceberg.writing import Writing
from lakehouse.paths import quote
from lakehouse.sources.reader import Part
from lakehouse.spark import rows_to_frame

#: So many rows are read by the driver rather than by processes that have to be started for them.
FEW = 50_000
#: So many objects are made before Python looks for cycles among them.
_OBJECTS = 70_000
_WRITTEN = "path string, rows bigint, highest binary"


@dataclass(frozen=True)
class Gathering:
    """How the parts of one table's read are brought in.

    Attributes:
        readers: threads that read.
        in_threads: whether these read at the same time, or Python's lock makes them wait for each other.
        rows: about how many rows the relation has; ``None``: unknown.
    """

    lake: Lake
    readers: Executor
    in_threads: bool
    rows: int | None

    @property
    def is_few(self) -> bool:
        """Whether the relation has few rows."""
        return self.rows is not None and self.rows <= FEW

    @property
    def is_near(self) -> bool:
        """Whether the driver reads."""
        return self.is_few or (self.in_threads and self.lake.sessions.is_local)

    def files(
        self,
        parts: Sequence[Part],
        writing: Writing,
        constants: Mapping[str, Any],
        watch: str | None,
        repetitive: tuple[str, ...] | None = None,
    ) -> list[WrittenFile]:
        """A data file for each part that has rows.

        Args:
            constants: values of the engine's columns.
            watch: the cursor, whose largest value each file tells.
            repetitive: columns whose values repeat; absent: not known.
        """
        works = [_PartFile(part, writing.new_file(), constants, watch, repetitive) for part in parts]
        if self.is_near or (len(parts) == 1 and self.in_threads):
            writes = [self.readers.submit(work.write) for work in works]
            wait(writes)  # for each, also where one failed: what is still written then would stay behind
            written = [one.result() for one in writes]
        else:
            context = self.lake.spark.sparkContext
            written = context.parallelize(works, len(works)).map(_PartFile.write).collect()
        return [file for file in written if file is not None]

    def table(self, parts: Sequence[Part], columns: Mapping[str, str]) -> pa.Table:
        """All rows of ``parts``, ``columns`` by name, on the driver: for what is known to be narrow, or few.

        Types are the source's; where there is no row, those of ``columns``.
        """
        found = self.table_within(None, parts, columns)
        assert found is not None
        return found

    def table_within(
        self, most_bytes: int | None, parts: Sequence[Part], columns: Mapping[str, str]
    ) -> pa.Table | None:
        """As :meth:`table`; ``None`` as soon as it would hold more than ``most_bytes``."""
        size = 0

        def read(part: Part) -> list[pa.RecordBatch]:
            nonlocal size
            found = []
            for batch in part.batches():
                size += batch.nbytes
                if most_bytes is not None and size > most_bytes:
                    return []
                found.append(batch)
            return found

        batches = [batch for part in self.readers.map(read, parts) for batch in part if batch.num_rows]
        if most_bytes is not None and size > most_bytes:
            return None
        if batches:
            return pa.Table.from_batches(batches)
        return pa.schema([(name, arrow_type(kind)) for name, kind in columns.items()]).empty_table()

    def frame(self, parts: Sequence[Part], columns: Mapping[str, str]) -> DataFrame:
        """The rows of ``parts`` as a DataFrame with ``columns`` (name to Spark SQL type)."""
        schema = ", ".join(f"{quote(name)} {kind}" for name, kind in columns.items())
        if not self.is_few:
            return _frame_of_parts(self.lake.spark, parts, schema)
        return rows_to_frame(self.lake.spark, self.table(parts, columns), schema)


def collect_rarely() -> None:
    """Let this process look for cycles of Python's objects a hundred times less often: rows have none, and looking through
    thousands of them again and again took more than a third of what reading messages computed."""
    gc.set_threshold(_OBJECTS)


@dataclass(frozen=True)
class _PartFile:
    """A part, and the data file that it is written to."""

    part: Part
    target: FileTarget
    constants: Mapping[str, Any]
    watch: str | None
    repetitive: tuple[str, ...] | None

    def write(self) -> WrittenFile | None:
        collect_rarely()
        return write(self.target, self.part.batches(), self.constants, self.watch, self.repetitive)


@dataclass
class _PartPartition(InputPartition):
    part: Part


class _PartsReader(DataSourceReader):
    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts

    def partitions(self) -> Sequence[InputPartition]:
        return [_PartPartition(part) for part in self._parts]

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        assert isinstance(partition, _PartPartition)
        collect_rarely()
        yield from partition.part.batches()


def _frame_of_parts(spark: SparkSession, parts: Sequence[Part], schema: str) -> DataFrame:
    class PartsSource(DataSource):
        """Carries the parts in itself, so that no credential is an option that a plan would show."""

        @classmethod
        def name(cls) -> str:
            return "lakehouse_parts"

        def schema(self) -> str | StructType:
            return schema

        def reader(self, schema: StructType) -> DataSourceReader:
            del schema
            return _PartsReader(parts)

    spark.dataSource.register(PartsSource)
    return spark.read.format("lakehouse_parts").load()


def written(rows: DataFrame, writing: Writing, constants: Mapping[str, Any], watch: str | None) -> list[WrittenFile]:
    """Data files of ``rows``: one by the driver where they are few, else one of each task.

    Args:
        rows: computed once, or otherwise read alike each time.
        constants, watch: see :meth:`Gathering.files`.
    """
    first = rows.limit(FEW + 1).toArrow()
    if first.num_rows <= FEW:
        file = write(writing.new_file(), first.to_batches(), constants, watch) if first.num_rows else None
        return [file] if file else []
    target = writing.new_file()

    def write_task(batches: Iterable[pa.RecordBatch]) -> Iterable[pa.RecordBatch]:
        own = replace(target, path=f"{target.path.rpartition('/')[0]}/{uuid4()}.parquet")
        file = write(own, batches, constants, watch)
        if file is not None:
            said = {"path": [file.path], "rows": [file.rows], "highest": [pickle.dumps(file.highest)]}
            yield pa.RecordBatch.from_pydict(said)

    told = rows.mapInArrow(write_task, _WRITTEN).collect()
    return [WrittenFile(row["path"], row["rows"], pickle.loads(row["highest"])) for row in told]
