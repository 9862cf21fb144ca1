"""A commit to come: a table's columns, its rows and what is said of them change together, or not at all."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import structlog

from lakehouse.errors import SystemFailureError
from lakehouse.iceberg.contents import HeldFile
from lakehouse.iceberg.data_files import FileTarget, WrittenFile
from lakehouse.iceberg.java import IcebergClasses
from lakehouse.iceberg.reported import reported
from lakehouse.iceberg.table import IcebergTable
from lakehouse.paths import TableName

log = structlog.get_logger()


class Writing:
    """Data files that are written for a table, and the one commit that shows them.

    Args:
        transaction: Iceberg's, in Java.
        load: gives the table as it is after the commit.
        before: the head that the new snapshot follows; ``None`` for a table that is made or remade.
        whole: whether the rows that are written take the place of those that are there.
    """

    def __init__(
        self,
        name: TableName,
        transaction: Any,
        classes: IcebergClasses,
        load: Callable[[TableName], IcebergTable],
        before: int | None = None,
        *,
        whole: bool = False,
    ) -> None:
        self._name, self._transaction, self._classes, self._load = name, transaction, classes, load
        self._pending = IcebergTable(name, transaction.table(), classes)
        self._before, self._whole = before, whole
        self._given: list[str] = []

    @property
    def pending(self) -> IcebergTable:
        """The table as it is about to be."""
        return self._pending

    def new_file(self) -> FileTarget:
        """A place for one more data file, in the columns that the table is about to have."""
        target = self._pending.new_file()
        self._given.append(target.path)
        return target

    def commit(self, files: Sequence[WrittenFile], properties: Mapping[str, str], gone: Sequence[HeldFile] = ()) -> int:
        """Show ``files``, and none of ``gone`` any more, in one snapshot that bears ``properties``; returns its id."""
        with reported(f"committing to {self._name.dotted}"):
            operation = self._operation(files, gone)
            for key, value in properties.items():
                operation.set(key, value)
            operation.commit()
            self._given = []  # from here on nobody can tell whether the files are shown
            self._transaction.commitTransaction()
        table = self._load(self._name)
        table.check_descends_from(self._before)
        head = table.head
        assert head is not None
        return head

    def _operation(self, files: Iterable[WrittenFile], gone: Sequence[HeldFile]) -> Any:
        if not self._whole and not gone:
            operation = self._transaction.newAppend()
            for file in files:
                operation.appendFile(self._pending.data_file(file))
            return operation
        everything = self._classes("expressions.Expressions").alwaysTrue()
        operation = self._transaction.newOverwrite()
        if self._whole:
            operation = operation.overwriteByRowFilter(everything)
        else:
            operation = operation.validateFromSnapshot(self._before).conflictDetectionFilter(everything)
            operation = operation.validateNoConflictingData().validateNoConflictingDeletes()
            for held in gone:
                operation.deleteFile(held.java)
        for file in files:
            operation.addFile(self._pending.data_file(file))
        return operation

    def abandon(self) -> None:
        """Remove the files that were written for a commit that does not come; one that cannot be removed is an orphan."""
        try:
            with reported(f"removing files of a failed attempt to write {self._name.dotted}"):
                for path in self._given:
                    self._pending.remove_file(path)
        except SystemFailureError as error:
            log.warning("files of a failed attempt stay behind", table=self._name.dotted, error=str(error))
        self._given = []
