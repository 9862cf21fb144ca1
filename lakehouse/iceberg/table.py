"""Iceberg tables through the Java API of the running Spark: snapshots, schemas and commits without a Spark job."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import uuid4

import pyarrow as pa
import structlog

from lakehouse.errors import SystemFailureError
from lakehouse.iceberg import contents, partitioning
from lakehouse.iceberg.arrow_types import arrow_type, has_arrow_type, iceberg_type
from lakehouse.iceberg.data_files import FileTarget, WrittenFile
from lakehouse.iceberg.described import Description, Field
from lakehouse.iceberg.java import IcebergClasses, each
from lakehouse.iceberg.properties import CODEC, distribution
from lakehouse.iceberg.reported import reported
from lakehouse.iceberg.snapshots import SnapshotInfo
from lakehouse.paths import TableName

log = structlog.get_logger()


class IcebergTable:
    """One table, as it was when it was loaded or last refreshed."""

    def __init__(self, name: TableName, java: Any, classes: IcebergClasses) -> None:
        self.name = name
        self._java = java
        self._classes = classes
        self._description = Description(java, classes)

    def refresh(self) -> None:
        with reported(f"reading the metadata of {self.name.dotted}"):
            self._java.refresh()
        self._description = Description(self._java, self._classes)

    @property
    def head(self) -> int | None:
        """The id of the current snapshot; ``None`` in a table that nothing was committed to."""
        snapshot = self._description.snapshot
        return None if snapshot is None else int(snapshot["snapshot-id"])

    def history(self) -> Iterator[SnapshotInfo]:
        """The current snapshot and its ancestors, newest first."""
        return self._description.history()

    def newest(self, property_name: str) -> str | None:
        """The property's value in the newest snapshot that has it: maintenance makes snapshots without."""
        return next((s.summary[property_name] for s in self.history() if property_name in s.summary), None)

    @property
    def fields(self) -> tuple[Field, ...]:
        return self._description.fields

    def arrow_schema(self) -> pa.Schema:
        """The table's schema in Arrow, with Iceberg's field ids."""
        return pa.schema(
            [
                pa.field(f.name, arrow_type(f.lake_type), metadata={"PARQUET:field_id": str(f.identifier)})
                for f in self.fields
            ]
        )

    @property
    def row_count(self) -> int:
        """Rows in the current snapshot, as its summary says (tables of this project hold no row-level deletes)."""
        return self._total("total-records")

    @property
    def size(self) -> int:
        """Bytes of the current snapshot's data files, as its summary says."""
        return self._total("total-files-size")

    @property
    def file_count(self) -> int:
        """Data files of the current snapshot, as its summary says."""
        return self._total("total-data-files")

    @property
    def commit_count(self) -> int:
        """How many commits the table has had, those that expired included."""
        snapshot = self._description.snapshot
        return 0 if snapshot is None else int(snapshot["sequence-number"])

    def _total(self, name: str) -> int:
        snapshot = self._description.snapshot
        return 0 if snapshot is None else int(snapshot.get("summary", {}).get(name) or 0)

    def data_file_paths(self) -> list[str]:
        """Locations of the current snapshot's data files."""
        with reported(f"listing the files of {self.name.dotted}"):
            tasks = self._java.newScan().planFiles()
            try:
                return sorted({str(task.file().location()) for task in each(tasks)})
            finally:
                tasks.close()

    def new_file(self) -> FileTarget:
        """A place for one more data file."""
        path = self._java.locationProvider().newDataLocation(f"{uuid4()}.parquet")
        return FileTarget(str(path), self.arrow_schema(), self._description.io_properties, self.codec)

    @property
    def codec(self) -> str:
        """How new data files are compressed, as Iceberg calls it."""
        return str(self._java.properties().get(CODEC) or "zstd")

    def remove_file(self, path: str) -> None:
        """Remove a data file that no snapshot shows, if it is there."""
        io = self._java.io()
        if io.newInputFile(path).exists():
            io.deleteFile(path)

    def transaction(self) -> Any:
        """A Java transaction on the table as it is."""
        return self._java.newTransaction()

    def evolve(self, added: Mapping[str, str]) -> None:
        """Add columns (name to Spark SQL type), in one commit."""
        with reported(f"changing the columns of {self.name.dotted}"):
            change_columns(self._java, self._classes, added, {})
        self.refresh()

    def partition(self, partition_by: Sequence[str], sort_by: Sequence[str] = ()) -> tuple[str, ...]:
        """Partition and sort what is written from now on in this way; data that is there is not rewritten.

        Returns:
            What was changed, for a note; empty when the table is like that already.
        """
        before = ", ".join(partitioning.partition_fields(self._java, self._classes)) or "nothing"
        notes = []
        with reported(f"changing the partitioning of {self.name.dotted}"):
            if partitioning.change_spec(self._java, self._classes, partition_by):
                update = self._java.updateProperties()
                for key, value in distribution(partition_by).items():
                    update = update.set(key, value)
                update.commit()
                notes.append(f"partitioned by {', '.join(partition_by) or 'nothing'} from now on, before by {before}")
            if partitioning.change_sort(self._java, self._classes, sort_by):
                notes.append(f"sorted by {', '.join(sort_by) or 'nothing'} from now on")
        if notes:
            self.refresh()
        return tuple(notes)

    def append(self, files: Iterable[WrittenFile], properties: Mapping[str, str]) -> int:
        """Add ``files`` in one snapshot that bears ``properties``; returns its id."""
        operation = self._java.newAppend()
        for file in files:
            operation.appendFile(self.data_file(file))
        return self._commit(operation, properties)

    def data_file(self, file: WrittenFile) -> Any:
        """``file`` as Iceberg's Java code commits it."""
        says_its_partition = len(file.partition) == len(self.partition_fields())
        if file.metrics is not None and says_its_partition and self._description.has_usual_metrics:
            return self._described_file(file)
        source = self._java.io().newInputFile(file.path)
        metrics = self._classes("parquet.ParquetUtil").fileMetrics(
            source, self._classes("MetricsConfig").forTable(self._java)
        )
        builder = self._classes("DataFiles").builder(self._java.spec()).withInputFile(source)
        if file.partition:
            builder = builder.withPartitionValues(list(file.partition))
        return builder.withFormat("parquet").withMetrics(metrics).build()

    def _described_file(self, file: WrittenFile) -> Any:
        """The same, of a file whose writer said all that Iceberg would look for in it."""
        schema = self.arrow_schema()
        fields = zip(file.partition, self.partition_fields(), strict=True)
        said = {
            "spec-id": self._description.spec_id,
            "content": "data",
            "file-path": self._full_path(file.path),
            "file-format": "parquet",
            "partition": [partitioning.as_json(text, item, schema.field(item.column).type) for text, item in fields],
            "file-size-in-bytes": file.size,
            "record-count": file.rows,
            "sort-order-id": 0,  # it is not said to be sorted
            **(file.metrics or {}),
        }
        json_node = self._classes("util.JsonUtil").mapper().readTree(json.dumps(said))
        return self._classes("ContentFileParser").fromJson(json_node, self._java.spec())

    def _full_path(self, path: str) -> str:
        """A file's path as Iceberg's own builder of data files has it: with the scheme, where Hadoop knows it."""
        file = self._java.io().newInputFile(path)
        return str(file.getStat().getPath().toString()) if self._description.is_hadoop else path

    def is_read_here(self) -> bool:
        """Whether the driver can read its rows: their types have Arrow types, and no program left row-level deletes."""
        return not self._total("total-delete-files") and all(has_arrow_type(item.lake_type) for item in self.fields)

    def is_written_here(self) -> bool:
        """Whether the driver can rewrite its files: it reads them, knows a row's partition, and they are of one spec."""
        if not self.is_read_here():
            return False
        schema = self.arrow_schema()
        if not all(partitioning.can_tell(item, schema.field(item.column).type) for item in self.partition_fields()):
            return False
        return self._description.spec_count == 1

    def is_partitioned_by(self, partition_by: Sequence[str]) -> bool:
        """Whether what is written from now on is partitioned so, as the registry spells it."""
        return partitioning.alike(partitioning.partition_fields(self._java, self._classes), partition_by)

    def partition_fields(self) -> tuple[partitioning.PartitionField, ...]:
        """The fields of its partition spec."""
        return self._description.partition_fields

    def sort_columns(self) -> tuple[str, ...]:
        """The columns of its sort order."""
        return partitioning.sort_columns(self._java, self._classes)

    def held_files(
        self, within: Mapping[str, contents.Range] | None = None, snapshot: int | None = None, *, bounds: bool = False
    ) -> list[contents.HeldFile]:
        """The data files of a snapshot (absent: the current one) that may hold a row ``within`` ranges; see :mod:`contents`.

        Args:
            bounds: whether each tells what its columns' values lie between.
        """
        head = snapshot or self.head
        if head is None:
            return []
        with reported(f"listing the files of {self.name.dotted}"):
            scan = contents.scan_of(self._java, self._classes, head, within)
            return self._held(scan.includeColumnStats() if bounds else scan)

    def appended_files(self, after: int, until: int) -> list[contents.HeldFile]:
        """The data files that the snapshots after ``after`` up to ``until`` appended."""
        with reported(f"listing the files of {self.name.dotted}"):
            return self._held(self._java.newIncrementalAppendScan().fromSnapshotExclusive(after).toSnapshot(until))

    def _held(self, scan: Any) -> list[contents.HeldFile]:
        only, specs = self._java.spec(), self._java.specs()

        def spec_of(file: Any) -> Any:  # each call of the JVM here is one for each file
            return only if self._description.spec_count == 1 else specs.get(file.specId())

        return contents.planned(scan, self._classes, spec_of, self._description.io_properties)

    def exchange(self, gone: Sequence[Any], files: Sequence[WrittenFile], properties: Mapping[str, str]) -> int:
        """Let ``files`` take the place of ``gone``, in one snapshot that bears ``properties``; returns its id.

        Raises:
            SystemFailureError: another writer committed meanwhile.
        """
        if not gone:
            return self.append(files, properties)
        everything = self._classes("expressions.Expressions").alwaysTrue()
        operation = self._java.newOverwrite().validateFromSnapshot(self.head).conflictDetectionFilter(everything)
        operation = operation.validateNoConflictingData().validateNoConflictingDeletes()
        return self._exchange(operation, gone, files, properties)

    def exchange_alike(self, gone: Sequence[Any], files: Sequence[WrittenFile]) -> int:
        """Let ``files``, which hold the same rows, take the place of ``gone``, in one snapshot; returns its id.

        Readers of what came to the table pass over it.

        Raises:
            SystemFailureError: another writer removed one of ``gone`` meanwhile.
        """
        return self._exchange(self._java.newRewrite().validateFromSnapshot(self.head), gone, files, {})

    def _exchange(
        self, operation: Any, gone: Sequence[Any], files: Sequence[WrittenFile], properties: Mapping[str, str]
    ) -> int:
        for file in gone:
            operation.deleteFile(file)
        for written in files:
            operation.addFile(self.data_file(written))
        return self._commit(operation, properties)

    def remove_unshown(self, paths: Sequence[str]) -> None:
        """Remove data files that no commit was asked to show; one that cannot be removed is an orphan, and is logged."""
        try:
            with reported(f"removing files of a failed attempt to write {self.name.dotted}"):
                for path in paths:
                    self.remove_file(path)
        except SystemFailureError as error:
            log.warning("files of a failed attempt stay behind", table=self.name.dotted, error=str(error))

    def _commit(self, operation: Any, properties: Mapping[str, str]) -> int:
        before = self.head
        for key, value in properties.items():
            operation.set(key, value)
        with reported(f"committing to {self.name.dotted}"):
            operation.commit()
        self.refresh()
        self.check_descends_from(before)
        head = self.head
        assert head is not None
        return head

    def check_descends_from(self, before: int | None) -> None:
        """Raise :class:`SystemFailureError` if the head ``before`` is not an ancestor of the head now.

        A commit whose answer was lost and that is tried again may move a table back over another writer's commit.
        """
        if before is None:
            return
        if not self._classes("util.SnapshotUtil").isAncestorOf(self._java, before):
            raise SystemFailureError(
                f"table {self.name.dotted}: snapshot {before}, its head before this commit, is no ancestor of its head "
                f"{self.head} now: another writer's commit was lost.",
                remedy="Only one run may write a table. End the other writer, then run again with --full-refresh.",
            )


def change_columns(
    changeable: Any, classes: IcebergClasses, added: Mapping[str, str], widened: Mapping[str, str]
) -> None:
    """Add columns and widen types (name to Spark SQL type) of a Java table or transaction, in one commit to it."""
    types = classes("types.Types")
    update = changeable.updateSchema()
    for column, kind in added.items():
        update = update.addColumn(column, types.fromTypeName(iceberg_type(kind)))
    for column, kind in widened.items():
        update = update.updateColumn(column, types.fromPrimitiveString(iceberg_type(kind)))
    update.commit()
