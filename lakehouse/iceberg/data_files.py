"""Parquet data files written straight from Arrow, for a table that commits them later.

Field ids go into the file, so that Iceberg knows its columns by id and not by name.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.fs
import pyarrow.parquet as pq

from lakehouse.iceberg.metrics import metrics_of

#: Rows of a row group at most, and the bytes that are collected for one: of small ones files are larger, and slower to read.
_ROW_GROUP, _TOGETHER = 1_000_000, 64 * 2**20
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(?=/)")


@dataclass(frozen=True)
class FileTarget:
    """Where and how a data file is written; it can be sent to an executor.

    Attributes:
        path: a location that the table gave out.
        schema: Arrow schema with field ids (see :meth:`lakehouse.iceberg.table.IcebergTable.arrow_schema`).
        properties: of the table's FileIO, credentials included: never log them.
        codec: how it is compressed, as Iceberg calls it.
    """

    path: str
    schema: pa.Schema
    properties: Mapping[str, str]
    codec: str = "zstd"

    def __repr__(self) -> str:
        return f"FileTarget({self.path!r})"


@dataclass(frozen=True)
class WrittenFile:
    """A data file that waits for its commit.

    Attributes:
        highest: the largest value of the watched column, if any.
        partition: the partition that all its rows belong to, a text for each field of the table's spec.
        size: in bytes; 0 where it is not known.
        metrics: of its columns (see :mod:`lakehouse.iceberg.metrics`); ``None`` where Iceberg is to find them.
    """

    path: str
    rows: int
    highest: Any = None
    partition: tuple[str | None, ...] = ()
    size: int = 0
    metrics: Mapping[str, Any] | None = None


def write(
    target: FileTarget,
    batches: Iterable[pa.RecordBatch],
    constants: Mapping[str, Any],
    watch: str | None = None,
    repetitive: Sequence[str] | None = None,
) -> WrittenFile | None:
    """Write ``batches`` as one Parquet file; ``None``, and no file, when there is no row.

    Args:
        constants: values of the columns that are the same in each row.
        watch: a column whose largest value is wanted.
        repetitive: the columns worth a dictionary; absent: all are tried.
    """
    writer: pq.ParquetWriter | None = None
    rows, size, highest = 0, 0, None
    footers: list[pq.FileMetaData] = []
    dictionary: bool | list[str] = True if repetitive is None else [*repetitive, *constants]
    schema = _with_constants(target.schema, constants)
    with _output(target) as stream:
        try:
            for together in _together(_shape(batch, schema, constants) for batch in batches if batch.num_rows):
                if writer is None:
                    writer = pq.ParquetWriter(
                        stream.open(),
                        schema,
                        **_compression(target.codec),
                        use_dictionary=dictionary,
                        store_schema=False,
                        metadata_collector=footers,
                    )
                writer.write_table(together, row_group_size=_ROW_GROUP)
                rows += together.num_rows
                highest = _larger(highest, together, watch)
        finally:
            if writer is not None:
                writer.close()
                size = stream.size()
    if writer is None:
        return None
    return WrittenFile(target.path, rows, highest, size=size, metrics=metrics_of(footers[0], target.schema))


def _compression(codec: str) -> dict[str, Any]:
    """Arrow's words for a codec of Iceberg; of zstd the level that is fastest to write."""
    return {"compression": codec.removesuffix("_raw"), "compression_level": 1 if codec == "zstd" else None}


def texts_of(schema: pa.Schema) -> list[str]:
    """The columns of text: of columns whose values are not known, those that most likely repeat them."""
    return [field.name for field in schema if pa.types.is_string(field.type)]


def _together(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """``batches``, as many at a time as make a row group."""
    found: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        found.append(batch)
        size += batch.nbytes
        if size >= _TOGETHER:
            yield pa.Table.from_batches(found)
            found, size = [], 0
    if found:
        yield pa.Table.from_batches(found)


def _larger(highest: Any, batch: pa.Table, watch: str | None) -> Any:
    if watch is None:
        return None
    value = pc.max(batch.column(watch)).as_py()
    return highest if value is None else value if highest is None else max(highest, value)


def _shape(batch: pa.RecordBatch, schema: pa.Schema, constants: Mapping[str, Any]) -> pa.RecordBatch:
    """``batch`` with the columns and types of ``schema``; a column that it does not have is null."""
    arrays = []
    for field in schema:
        if field.name in constants:
            arrays.append(_repeated(constants[field.name], field.type, batch.num_rows))
            continue
        position = batch.schema.get_field_index(field.name)
        if position < 0:
            arrays.append(pa.nulls(batch.num_rows, field.type))
            continue
        array = batch.column(position)
        if isinstance(array, pa.ExtensionArray):
            array = array.storage
        arrays.append(array if array.type == field.type else array.cast(field.type))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _with_constants(schema: pa.Schema, constants: Mapping[str, Any]) -> pa.Schema:
    """``schema`` with constant texts as dictionaries, which cost nothing to repeat; the file's types are the same."""
    for position, field in enumerate(schema):
        if field.name in constants and pa.types.is_string(field.type):
            schema = schema.set(position, field.with_type(pa.dictionary(pa.int8(), field.type)))
    return schema


def _repeated(value: Any, kind: pa.DataType, count: int) -> pa.Array:
    if not isinstance(kind, pa.DictionaryType):
        return pa.repeat(pa.scalar(value, type=kind), count)
    return pa.DictionaryArray.from_arrays(
        pa.repeat(pa.scalar(0, kind.index_type), count), pa.array([value], kind.value_type)
    )


def local_path(location: str) -> str | None:
    """The path of a location on this machine; ``None`` of one in a store. Not parsed as a URI: Iceberg escapes nothing,
    so that ``#``, ``?`` and ``%`` are letters of a folder's name."""
    scheme = _SCHEME.match(location)
    if scheme is None:
        return location
    return location[scheme.end() :].removeprefix("//") if scheme[1].lower() == "file" else None


class _Output:
    """Opens its file when the first row is there, so that an empty read leaves none behind."""

    def __init__(self, target: FileTarget) -> None:
        self._target = target
        self._stream: Any = None

    def open(self) -> Any:
        self._stream = self._create()
        return self._stream

    def _create(self) -> Any:
        path = local_path(self._target.path)
        if path is not None:
            pa.fs.LocalFileSystem().create_dir(path.rpartition("/")[0])
            return pa.OSFile(path, "wb")
        from pyiceberg.io import load_file_io  # noqa: PLC0415  (slow to import, and a local warehouse needs none of it)

        file_io = load_file_io(dict(self._target.properties), location=self._target.path)
        return file_io.new_output(self._target.path).create(overwrite=True)

    def size(self) -> int:
        """Bytes that were written so far."""
        return int(self._stream.tell())

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()


@contextmanager
def opened_for_reading(location: str, properties: Mapping[str, str]) -> Iterator[Any]:
    """A data file as what Arrow reads from.

    Args:
        properties: of the table's FileIO, credentials included.
    """
    path = local_path(location)
    if path is not None:
        with pa.memory_map(path) as source:
            yield source
        return
    from pyiceberg.io import load_file_io  # noqa: PLC0415  (see above)

    with load_file_io(dict(properties), location=location).new_input(location).open() as stream:
        yield stream


@contextmanager
def _output(target: FileTarget) -> Iterator[_Output]:
    output = _Output(target)
    try:
        yield output
    finally:
        output.close()
