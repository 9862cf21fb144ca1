"""Data files written by the driver with Arrow, by partition, and the one commit that shows them."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.iceberg.arrow_types import has_arrow_type
from lakehouse.iceberg.catalog import Catalog
from lakehouse.iceberg.compact import CRUMB
from lakehouse.iceberg.contents import HeldFile, Places, Range
from lakehouse.iceberg.data_files import WrittenFile, texts_of, write
from lakehouse.iceberg.partitioning import PartitionField, partition_texts
from lakehouse.iceberg.table import IcebergTable
from lakehouse.paths import TableName

_BATCH = 131_072
#: A partition as text by field of the spec, in its order.
_Partition = tuple[str | None, ...]


@dataclass(frozen=True)
class Rewriting:
    """A file that is written anew without the rows at the places ``drop``."""

    file: HeldFile
    drop: Places = field(default_factory=lambda: np.empty(0, np.int64))

    def batches(self, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """The rows that stay."""
        if len(self.drop) == self.file.rows:
            return
        first = 0
        for batch in self.file.batches(schema):
            ends = np.searchsorted(self.drop, [first, first + batch.num_rows])
            stays = np.ones(batch.num_rows, bool)
            stays[self.drop[ends[0] : ends[1]] - first] = False
            yield batch.filter(pa.array(stays))
            first += batch.num_rows


def rewrite(target: IcebergTable, leaving: Sequence[Rewriting], new: pa.Table, properties: Mapping[str, str]) -> int:
    """Write files anew and add the rows ``new``, in one snapshot that bears ``properties``; returns its id.

    A file that loses rows takes up new ones of its partition; else the smallest file of the partition does while it is
    small, else they get a file of their own. A table with a sort order gets sorted files.
    """
    fields = target.partition_fields()
    by_partition: dict[_Partition, list[Rewriting]] = {}
    for rewriting in leaving:
        by_partition.setdefault(rewriting.file.partition, []).append(rewriting)
    coming = dict(_parts(new, fields))
    for crumb in _crumbs(target, new, fields, coming.keys() - by_partition.keys()):
        by_partition[crumb.partition] = [Rewriting(crumb)]
    written: list[WrittenFile] = []
    given: list[str] = []
    try:
        for partition in {**by_partition, **coming}:
            rows = coming.get(partition)
            sources = by_partition.get(partition, [])
            streams = [source.batches(target.arrow_schema()) for source in sources] or [iter(())]
            if rows is not None:
                streams[0] = chain(streams[0], rows.to_batches())
            for stream in streams:
                place = target.new_file()
                given.append(place.path)
                file = write(place, _sorted(stream, target), {}, repetitive=texts_of(place.schema))
                if file is not None:
                    written.append(dataclasses.replace(file, partition=partition))
    except BaseException:
        target.remove_unshown(given)
        raise
    # from here on nobody can tell whether the files are shown: a commit whose answer is lost may stand
    gone = [rewriting.file.java for group in by_partition.values() for rewriting in group]
    return target.exchange(gone, written, properties)


def replace(
    rows: pa.Table,
    name: TableName,
    columns: Mapping[str, str],
    catalog: Catalog,
    partition_by: Sequence[str],
    properties: Mapping[str, str],
    sort_by: Sequence[str] = (),
) -> int | None:
    """Make ``rows`` and ``columns`` the table ``name``, in one commit, whether it is there or not; returns its snapshot's id.

    Args:
        columns: name to Spark SQL type, in order.

    Returns:
        ``None``, and nothing is written, where only Spark can write such a table.
    """
    if not all(map(has_arrow_type, columns.values())):
        return None
    writing = catalog.replace(name, columns, partition_by)
    if not writing.pending.is_written_here():
        return None
    schema = writing.pending.arrow_schema()
    rows = rows.select(schema.names).cast(schema).combine_chunks()
    files = []
    try:
        for partition, part in _parts(rows, writing.pending.partition_fields()):
            batches = _in_order(part, sort_by).to_batches(_BATCH)
            file = write(writing.new_file(), batches, {}, repetitive=texts_of(schema))
            assert file is not None
            files.append(dataclasses.replace(file, partition=partition))
    except BaseException:
        writing.abandon()
        raise
    snapshot = writing.commit(files, properties)
    if sort_by:
        catalog.get(name).partition(partition_by, sort_by)
    return snapshot


def _parts(rows: pa.Table, fields: Sequence[PartitionField]) -> Iterator[tuple[_Partition, pa.Table]]:
    """``rows`` by partition."""
    if not rows.num_rows:
        return
    if not fields:
        yield (), rows
        return
    texts = pa.table({item.identifier: partition_texts(rows, item) for item in fields})
    for partition in texts.group_by(texts.column_names).aggregate([]).to_pylist():
        inside = pa.repeat(pa.scalar(True), rows.num_rows)
        for name, value in partition.items():
            column = texts.column(name)
            inside = pc.and_(
                inside, pc.is_null(column) if value is None else pc.fill_null(pc.equal(column, value), False)
            )
        yield tuple(partition[item.identifier] for item in fields), rows.filter(inside)


def _crumbs(
    target: IcebergTable, new: pa.Table, fields: Sequence[PartitionField], partitions: set[_Partition]
) -> list[HeldFile]:
    """The smallest file of each of ``partitions``, where it is small: it takes up new rows, so that such do not become many."""
    if not partitions:
        return []
    smallest: dict[_Partition, HeldFile] = {}
    for file in target.held_files(_partition_ranges(new, fields)):
        if file.partition in partitions and file.size < CRUMB:
            smallest[file.partition] = min(smallest.get(file.partition, file), file, key=lambda one: one.size)
    return list(smallest.values())


def _partition_ranges(new: pa.Table, fields: Sequence[PartitionField]) -> dict[str, Range]:
    """What the columns that partition lie between, where each is known; a file of the same partition may lie beside it."""
    found: dict[str, Range] = {}
    for item in fields:
        column = new.column(item.column)
        if item.transform == "identity" and column.null_count == 0 and pa.types.is_date(column.type):
            ends = pc.min_max(column).as_py()
            found[item.column] = (ends["min"], ends["max"])
    return found


def _sorted(batches: Iterator[pa.RecordBatch], target: IcebergTable) -> Iterator[pa.RecordBatch]:
    order = target.sort_columns()
    if not order:
        yield from batches
        return
    yield from _in_order(pa.Table.from_batches(batches, target.arrow_schema()), order).to_batches(_BATCH)


def _in_order(rows: pa.Table, order: Sequence[str]) -> pa.Table:
    if not order:
        return rows
    return rows.take(pc.sort_indices(rows, sort_keys=[(name, "ascending", "at_start") for name in order]))
