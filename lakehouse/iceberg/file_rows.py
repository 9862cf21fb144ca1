"""Rows of data files as Arrow, read by this process: few rows need no Spark job."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lakehouse.iceberg.data_files import FileTarget, local_path

_BATCH = 65_536


@dataclass(frozen=True)
class FileRows:
    """The rows of a table's data files, which it has no deletes beside.

    Attributes:
        paths: the files, in the order in which rows are told.
        table: a place in the same table: it knows the columns with their ids, and how the store is reached.
    """

    paths: Sequence[str]
    table: FileTarget

    def batches(
        self, columns: Sequence[str], cursor: str | None = None, lower: Any = None
    ) -> Iterator[tuple[int, pa.RecordBatch]]:
        """The rows, with how many rows of the files come before each batch.

        Args:
            columns: by the names that the table has for them; one that a file does not have is NULL.
            cursor, lower: groups of rows in which, by the file's statistics, each ``cursor`` is below ``lower``, are left out.
        """
        before = 0
        fields = [self.table.schema.field(name) for name in columns]
        for path in self.paths:
            with self._opened(path) as file:
                places = {_identifier(field): field.name for field in file.schema_arrow}
                known = {field.name: places.get(_identifier(field)) for field in self.table.schema}
                for group in range(file.num_row_groups):
                    if cursor is None or lower is None or not _all_below(file, group, known[cursor], lower):
                        yield from self._group(file, group, fields, known, before)
                    before += file.metadata.row_group(group).num_rows

    def _group(
        self, file: pq.ParquetFile, group: int, fields: Sequence[pa.Field], known: dict[str, str | None], before: int
    ) -> Iterator[tuple[int, pa.RecordBatch]]:
        there = [name for name in (known[field.name] for field in fields) if name is not None]
        if not there:
            count = file.metadata.row_group(group).num_rows
            yield before, _shaped(None, count, fields, known)
            return
        for batch in file.iter_batches(_BATCH, row_groups=[group], columns=there):
            yield before, _shaped(batch, batch.num_rows, fields, known)
            before += batch.num_rows

    @contextmanager
    def _opened(self, location: str) -> Iterator[pq.ParquetFile]:
        path = local_path(location)
        if path is not None:
            with pq.ParquetFile(path) as file:
                yield file
            return
        from pyiceberg.io import load_file_io  # noqa: PLC0415  (slow to import, and a local warehouse needs none of it)

        source = load_file_io(dict(self.table.properties), location=location).new_input(location)
        with source.open() as stream, pq.ParquetFile(stream) as file:
            yield file


def _identifier(field: pa.Field) -> bytes | None:
    return (field.metadata or {}).get(b"PARQUET:field_id")


def _shaped(
    batch: pa.RecordBatch | None, count: int, fields: Sequence[pa.Field], known: dict[str, str | None]
) -> pa.RecordBatch:
    """``batch`` with the columns and types of ``fields``."""
    arrays = []
    for field in fields:
        name = known[field.name]
        arrays.append(
            pa.nulls(count, field.type) if batch is None or name is None else batch.column(name).cast(field.type)
        )
    return pa.RecordBatch.from_arrays(arrays, names=[field.name for field in fields])


def _all_below(file: pq.ParquetFile, group: int, name: str | None, lower: Any) -> bool:
    """Whether the group's statistics say that no row has a NULL in column ``name``, or a value from ``lower`` on."""
    content = file.metadata.row_group(group)
    for number in range(content.num_columns):
        column = content.column(number)
        if column.path_in_schema == name and column.is_stats_set and column.statistics.has_min_max:
            return bool(column.statistics.null_count == 0 and column.statistics.max < lower)
    return False
