"""What stands in data files, read by the driver as Arrow: for few rows, where a Spark job costs more than they do.

Columns are found by Iceberg's field ids, as Iceberg finds them: a file that is older than a column has NULL there, and one
that is older than a wider type is widened.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
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
class DataFile:
    """A data file, whether a snapshot shows it or its commit is still to come.

    Attributes:
        properties: of the table's FileIO, credentials included: never log them.
    """

    path: str
    properties: Mapping[str, str] = field(repr=False)

    def batches(self, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """The rows, in their order in the file, in the columns of ``schema``, whose fields bear Iceberg's ids."""
        yield from (batch for _, batch in self.placed(schema))

    def placed(
        self, schema: pa.Schema, cursor: pa.Field | None = None, lower: Any = None
    ) -> Iterator[tuple[int, pa.RecordBatch]]:
        """The same, each batch with the place of its first row in the file.

        Args:
            cursor, lower: row groups in which, by the file's statistics, each ``cursor`` is below ``lower``, are left out.
        """
        first = 0
        with self._opened() as file:
            ids = _names(file)
            for number in range(file.num_row_groups):
                place, first = first, first + file.metadata.row_group(number).num_rows
                if (
                    cursor is not None
                    and lower is not None
                    and _all_below(file, number, ids.get(field_id(cursor)), lower)
                ):
                    continue
                for batch in _read(file, number, schema, ids):
                    yield place, batch
                    place += batch.num_rows

    def at(self, schema: pa.Schema, places: Places) -> pa.Table:
        """The rows at ``places`` in the file; only the row groups that hold one are read."""
        found: list[pa.RecordBatch] = []
        first = 0
        with self._opened() as file:
            ids = _names(file)
            for number in range(file.num_row_groups):
                until = first + file.metadata.row_group(number).num_rows
                inside = places[np.searchsorted(places, first) : np.searchsorted(places, until)] - first
                begin = 0
                for batch in _read(file, number, schema, ids) if len(inside) else ():
                    ends = np.searchsorted(inside, [begin, begin + batch.num_rows])
                    if ends[0] < ends[1]:
                        found.append(batch.take(pa.array(inside[ends[0] : ends[1]] - begin)))
                    begin += batch.num_rows
                first = until
        return pa.Table.from_batches(found, schema)

    @contextmanager
    def _opened(self) -> Iterator[pq.ParquetFile]:
        with opened_for_reading(self.path, self.properties) as source, pq.ParquetFile(source) as file:
            yield file


@dataclass(frozen=True)
class HeldFile(DataFile):
    """A data file of a snapshot.

    Attributes:
        size: in bytes.
        spec: the id of the partition spec by which it was written.
        partition: the partition that it belongs to, a text for each field of its spec; NULL is ``None``.
        java: the file, for a commit that removes it.
        bounds: for the id of a column, how its lowest and its highest value are written; ``None`` where all are NULL. Only
            where the columns' statistics were asked for, and only for columns of which the file tells.
    """

    rows: int
    size: int
    spec: int
    partition: tuple[str | None, ...]
    java: Any
    bounds: Mapping[int, tuple[bytes, bytes] | None] = field(default_factory=dict, repr=False)


def field_id(item: pa.Field) -> int:
    """Iceberg's id of a column."""
    return int(item.metadata[_ID])


def _names(file: pq.ParquetFile) -> dict[int, str]:
    """What the file calls its columns, by their ids."""
    return {field_id(item): item.name for item in file.schema_arrow if item.metadata and _ID in item.metadata}


def _read(file: pq.ParquetFile, group: int, schema: pa.Schema, ids: Mapping[int, str]) -> Iterator[pa.RecordBatch]:
    """The rows of a row group in the columns and types of ``schema``."""
    held = [ids.get(field_id(item)) for item in schema]
    names = [name for name in held if name is not None]
    if names:
        batches = file.iter_batches(_BATCH, row_groups=[group], columns=names)
    else:  # what has no columns has no rows for Arrow
        batches = iter([pa.record_batch([pa.nulls(file.metadata.row_group(group).num_rows)], [""])])
    for batch in batches:
        yield _shaped(batch, schema, held)


def _shaped(batch: pa.RecordBatch, schema: pa.Schema, held: Sequence[str | None]) -> pa.RecordBatch:
    """``batch`` in the columns of ``schema``, each held under a name, or not at all."""
    arrays = []
    for item, name in zip(schema, held, strict=True):
        array = pa.nulls(batch.num_rows, item.type) if name is None else batch.column(name)
        arrays.append(array if array.type == item.type else array.cast(item.type))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _all_below(file: pq.ParquetFile, group: int, name: str | None, lower: Any) -> bool:
    """Whether the group's statistics say that no row has a NULL in column ``name``, or a value from ``lower`` on."""
    content = file.metadata.row_group(group)
    for number in range(content.num_columns):
        column = content.column(number)
        if column.path_in_schema == name and column.is_stats_set and column.statistics.has_min_max:
            return bool(column.statistics.null_count == 0 and column.statistics.max < lower)
    return False


def scan_of(table: Any, classes: IcebergClasses, snapshot: int, within: Mapping[str, Range] | None = None) -> Any:
    """A Java scan of a snapshot, for those of its files that may hold a row ``within`` the ranges, by column.

    Args:
        within: whole numbers, texts, days or moments (UTC).
    """
    scan = table.newScan().useSnapshot(snapshot)
    for name, (low, high) in (within or {}).items():
        expressions = classes("expressions.Expressions")
        scan = scan.filter(expressions.greaterThanOrEqual(name, _literal(low)))
        scan = scan.filter(expressions.lessThanOrEqual(name, _literal(high)))
    return scan


def planned(
    scan: Any, classes: IcebergClasses, spec_of: Callable[[Any], Any], properties: Mapping[str, str]
) -> list[HeldFile]:
    """The data files of a Java scan.

    Args:
        spec_of: the partition spec of a file.
        properties: of the table's FileIO.
    """
    parser = classes("ContentFileParser")
    tasks = scan.planFiles()
    try:
        files = (task.file() for task in each(tasks))
        return [_held(file, parser, spec_of(file), properties) for file in files]
    finally:
        tasks.close()


def _held(file: Any, parser: Any, spec: Any, properties: Mapping[str, str]) -> HeldFile:
    said = json.loads(parser.toJson(file, spec))
    return HeldFile(
        path=said["file-path"],
        rows=said["record-count"],
        size=said["file-size-in-bytes"],
        spec=said["spec-id"],
        partition=tuple(map(_text, said["partition"])),
        java=file,
        properties=properties,
        bounds=_bounds(said),
    )


def _bounds(said: Mapping[str, Any]) -> dict[int, tuple[bytes, bytes] | None]:
    names = ("lower-bounds", "upper-bounds", "null-value-counts", "value-counts")
    lower, upper, nulls, values = (_by_id(said.get(name)) for name in names)
    found: dict[int, tuple[bytes, bytes] | None] = {
        number: (bytes.fromhex(lower[number]), bytes.fromhex(upper[number])) for number in lower.keys() & upper.keys()
    }
    empty = {number for number, count in values.items() if nulls.get(number) == count}
    return found | dict.fromkeys(empty)


def _by_id(said: Mapping[str, Any] | None) -> dict[int, Any]:
    return dict(zip(said["keys"], said["values"], strict=True)) if said else {}


def _text(value: Any) -> str | None:
    return str(value).lower() if isinstance(value, bool) else None if value is None else str(value)


def _literal(value: int | str | date) -> int | str:
    """``value`` as Iceberg's expressions take it: days and moments as ISO 8601 has them."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds")
    return value.isoformat() if isinstance(value, date) else value
