"""A table that is a folder: its files are real, and a commit is a list of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from lakehouse.iceberg.contents import HeldFile
from lakehouse.iceberg.data_files import FileTarget, WrittenFile, write
from lakehouse.iceberg.find_here import all_rows
from lakehouse.iceberg.partitioning import PartitionField

KINDS = {"id": pa.int32(), "day": pa.date32(), "w": pa.string()}
SCHEMA = pa.schema([pa.field(n, k, metadata={"PARQUET:field_id": str(i)}) for i, (n, k) in enumerate(KINDS.items(), 1)])
Row = tuple[int | None, date | None, str | None]


def table(*rows: Row) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(KINDS, row, strict=True)) for row in rows], schema=SCHEMA)


@dataclass
class FolderTable:
    """What the driver's reading and writing ask of a table.

    Attributes:
        asked: the ranges within which files were asked for, each time.
        broken: what a commit raises.
    """

    folder: Path
    fields: tuple[PartitionField, ...] = ()
    order: tuple[str, ...] = ()
    files: list[HeldFile] = field(default_factory=list)
    asked: list[Any] = field(default_factory=list)
    broken: Exception | None = None
    given: int = 0

    def with_file(self, *rows: Row, partition: tuple[str | None, ...] = ()) -> "FolderTable":
        """With one more file of it."""
        written = write(self.new_file(), table(*rows).to_batches(), {})
        assert written is not None
        self.files.append(self._held(WrittenFile(written.path, written.rows, partition=partition)))
        return self

    def contents(self) -> list[list[Row]]:
        """The rows of each file."""
        return [[tuple(row.values()) for row in all_rows([file], SCHEMA).to_pylist()] for file in self.files]

    def arrow_schema(self) -> pa.Schema:
        return SCHEMA

    def partition_fields(self) -> tuple[PartitionField, ...]:
        return self.fields

    def sort_columns(self) -> tuple[str, ...]:
        return self.order

    def held_files(self, within: Mapping[str, Any] | None = None, snapshot: int | None = None) -> list[HeldFile]:
        del snapshot
        self.asked.append(within)
        return list(self.files)

    def new_file(self) -> FileTarget:
        self.given += 1
        return FileTarget(str(self.folder / f"{self.given}.parquet"), SCHEMA, {})

    def exchange(self, gone: Sequence[Any], files: Sequence[WrittenFile], properties: Mapping[str, str]) -> int:
        del properties
        if self.broken is not None:
            raise self.broken
        self.files = [held for held in self.files if held.java not in gone] + [self._held(file) for file in files]
        return 1

    def remove_unshown(self, paths: Sequence[str]) -> None:
        for path in paths:
            Path(path).unlink(missing_ok=True)

    @staticmethod
    def _held(file: WrittenFile) -> HeldFile:
        size = Path(file.path).stat().st_size
        return HeldFile(file.path, {}, file.rows, size, spec=0, partition=file.partition, java=file.path)
