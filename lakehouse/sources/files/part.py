"""Some files of a read, one after the other."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from lakehouse.paths import LINE, ORDER, ORIGIN, VERSION
from lakehouse.sources.files import avro, csv_lines, json_lines, parquet
from lakehouse.sources.files.csv_lines import Dialect
from lakehouse.sources.files.options import Format, Options
from lakehouse.sources.files.settings import Settings
from lakehouse.sources.files.store import Listed, Store
from lakehouse.sources.reader import MISFITS
from lakehouse.sources.records import OTHERS, Fields

#: Each file has as many numbers for its rows.
_ROWS_OF_A_FILE = 2**32


@dataclass(frozen=True)
class Reading:
    """How the files of a relation are read.

    Attributes:
        names: the columns that are read of a file, lake name to name there.
        types: Spark SQL type by lake name.
    """

    options: Options
    names: Mapping[str, str]
    types: Mapping[str, str]


@dataclass(frozen=True)
class FilesPart:
    """Some files.

    Attributes:
        files: each with its number among all that were ever read of the relation.
        columns: lake names.
    """

    source: Settings = field(repr=False)
    reading: Reading
    files: Sequence[tuple[Listed, int]]
    columns: Sequence[str]
    doing: str

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows, file after file.

        Raises:
            SourceUnavailableError: a file cannot be read, or was written meanwhile.
            SourceError: its name does not say its format.
        """
        store = Store(self.source)
        for file, number in self.files:
            for batch in self._read(store, file):
                yield self._placed(batch, file, number)
            store.check(file, self.doing)  # so it was as it was listed all the while

    def _read(self, store: Store, file: Listed) -> Iterator[pa.RecordBatch]:
        doing = f"{self.doing}: reading {file.name}"
        options, names = self.reading.options, self.reading.names
        match options.format_of(file.name, self.doing):
            case Format.PARQUET:
                columns = {name: (source, self.reading.types[name]) for name, source in names.items()}
                with store.opened(file, self.doing) as stream:
                    yield from parquet.batches(stream, columns)
            case Format.CSV:
                dialect = Dialect(options.delimiter_of(file.name), options.quote, options.null)
                columns_of_file = None if options.header else list(names.values())
                with store.stream(file, self.doing) as stream:
                    yield from csv_lines.batches(stream, Fields.named(names), dialect, columns_of_file, doing)
            case Format.AVRO:
                with store.stream(file, self.doing) as stream:
                    yield from avro.batches(stream, Fields.named(names))
            case Format.JSONL:
                with store.stream(file, self.doing) as stream:
                    yield from json_lines.batches(stream, Fields.named(names))

    def _placed(self, batch: pa.RecordBatch, file: Listed, number: int) -> pa.RecordBatch:
        """The columns that are wanted, those that say where a row stands among them."""
        lines = batch.column(LINE).to_numpy()
        added = {
            ORIGIN: pa.repeat(pa.scalar(file.name), batch.num_rows),
            VERSION: pa.repeat(pa.scalar(file.version), batch.num_rows),
            ORDER: pa.array(number * _ROWS_OF_A_FILE + lines, pa.int64()),
        }
        there = {name: batch.column(name) for name in batch.schema.names} | added
        if OTHERS in self.columns and OTHERS not in there:
            there[OTHERS] = pa.nulls(batch.num_rows, pa.string())
        return pa.RecordBatch.from_pydict({name: there[name] for name in (*self.columns, MISFITS)})


def first_records(store: Store, file: Listed, options: Options, most: int, doing: str) -> list[dict[str, Any]]:
    """The first records of a file of text."""
    with store.stream(file, doing) as stream:
        match options.format_of(file.name, doing):
            case Format.CSV:
                dialect = Dialect(options.delimiter_of(file.name), options.quote, options.null)
                return list(csv_lines.sample(stream, dialect, most, header=options.header, doing=doing))
            case Format.AVRO:
                return avro.sample(stream, most)
            case _:
                return json_lines.sample(stream, most)
