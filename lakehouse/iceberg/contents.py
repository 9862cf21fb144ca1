"""What stands in a table's data files, read by the driver as Arrow: for few rows, where a Spark job costs more than they do.

Columns are found by Iceberg's field ids, as Iceberg finds them: a file that is older than a column has NULL there, and one
that is older than a wider type is widened.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lakehouse.iceberg.data_files import opened_for_reading
from lakehouse.iceberg.java import IcebergClasses, each

_BATCH = 131_072
_ID = b"PARQUET:field_id"
#: Numbers of rows in a file, from 0; they ascend.
Places = np.ndarray[Any, np.dtype[np.int64]]
#: What a column's values in a file lie between, both ends included.
Range = tuple[Any, Any]


@dataclass(frozen=True)
class HeldFile:
    """A data file of a snapshot.

    Attributes:
        size: in bytes.
        spec: the id of the partition spec by which it was written.
        partition: the partition that it belongs to, a text for each field of its spec; NULL is ``None``.
        java: the file, for a commit that removes it.
    """

    path: str
    rows: int
    size: int
    spec: int
    partition: tuple[str | None, ...]
    java: Any
    properties: Mapping[str, str]

    def batches(self, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """The rows, in their order in the file, in the columns of ``schema``, whose fields bear Iceberg's ids."""
        with self._opened() as file:
            ids = _places(file)
            yield from (_shaped(batch, schema, ids) for batch in self._read(file, schema, ids, None))

    def at(self, schema: pa.Schema, places: Places) -> pa.Table:
        """The rows at ``places`` in the file; only the row groups that hold one are read."""
        found: list[pa.RecordBatch] = []
        first = 0
        with self._opened() as file:
            ids = _places(file)
            for number in range(file.num_row_groups):
                until = first + file.metadata.row_group(number).num_rows
                inside = places[np.searchsorted(places, first) : np.searchsorted(places, until)] - first
                if len(inside):
                    group = pa.Table.from_batches(
                        [_shaped(batch, schema, ids) for batch in self._read(file, schema, ids, [number])], schema
                    )
                    found.extend(group.take(pa.array(inside)).to_batches())
                first = until
        return pa.Table.from_batches(found, schema)

    @contextmanager
    def _opened(self) -> Iterator[pq.ParquetFile]:
        with opened_for_reading(self.path, self.properties) as source, pq.ParquetFile(source) as file:
            yield file

    @staticmethod
    def _read(
        file: pq.ParquetFile, schema: pa.Schema, ids: Mapping[int, str], groups: Sequence[int] | None
    ) -> Iterator[pa.RecordBatch]:
        names = [ids[field_id(field)] for field in schema if field_id(field) in ids]
        return file.iter_batches(_BATCH, row_groups=groups, columns=names)  # type: ignore[no-any-return]


def field_id(field: pa.Field) -> int:
    """Iceberg's id of a column."""
    return int(field.metadata[_ID])


def _places(file: pq.ParquetFile) -> dict[int, str]:
    return {field_id(field): field.name for field in file.schema_arrow if field.metadata and _ID in field.metadata}


def _shaped(batch: pa.RecordBatch, schema: pa.Schema, ids: Mapping[int, str]) -> pa.RecordBatch:
    arrays = []
    for field in schema:
        name = ids.get(field_id(field))
        array = pa.nulls(batch.num_rows, field.type) if name is None else batch.column(name)
        arrays.append(array if array.type == field.type else array.cast(field.type))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def held_files(
    table: Any, classes: IcebergClasses, snapshot: int, within: Mapping[str, Range] | None = None
) -> list[HeldFile]:
    """The data files of a snapshot of a Java table; of these only such as may hold a row ``within`` the ranges, by column.

    Args:
        within: whole numbers, texts, days or moments (UTC).
    """
    scan = table.newScan().useSnapshot(snapshot)
    for name, (low, high) in (within or {}).items():
        expressions = classes("expressions.Expressions")
        scan = scan.filter(expressions.greaterThanOrEqual(name, _literal(low)))
        scan = scan.filter(expressions.lessThanOrEqual(name, _literal(high)))
    return _planned(scan, table, classes)


def appended_files(table: Any, classes: IcebergClasses, after: int, until: int) -> list[HeldFile]:
    """The data files that the snapshots after ``after`` up to ``until`` appended."""
    scan = table.newIncrementalAppendScan().fromSnapshotExclusive(after).toSnapshot(until)
    return _planned(scan, table, classes)


def _planned(scan: Any, table: Any, classes: IcebergClasses) -> list[HeldFile]:
    parser, specs = classes("ContentFileParser"), table.specs()
    properties = {str(entry.getKey()): str(entry.getValue()) for entry in each(table.io().properties().entrySet())}
    tasks = scan.planFiles()
    try:
        return [_held(task.file(), parser, specs, properties) for task in each(tasks)]
    finally:
        tasks.close()


def _held(file: Any, parser: Any, specs: Any, properties: Mapping[str, str]) -> HeldFile:
    said = json.loads(parser.toJson(file, specs.get(file.specId())))
    return HeldFile(
        path=said["file-path"],
        rows=said["record-count"],
        size=said["file-size-in-bytes"],
        spec=said["spec-id"],
        partition=tuple(map(_text, said["partition"])),
        java=file,
        properties=properties,
    )


def _text(value: Any) -> str | None:
    return str(value).lower() if isinstance(value, bool) else None if value is None else str(value)


def _literal(value: int | str | date) -> int | str:
    """``value`` as Iceberg's expressions take it: days and moments as ISO 8601 has them."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds")
    return value.isoformat() if isinstance(value, date) else value
