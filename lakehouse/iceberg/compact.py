"""Care of a table's files: many small ones become one, so that a year of small loads does not make the next one slower."""

from collections.abc import Iterator, Sequence

import pyarrow as pa

from lakehouse.iceberg.contents import HeldFile
from lakehouse.iceberg.data_files import texts_of, write
from lakehouse.iceberg.table import IcebergTable

#: A data file of fewer bytes is small.
CRUMB = 4 * 2**20
#: So many small files are written together.
_MANY = 16
#: Rows and bytes in memory that become a row group.
_GROUP_ROWS, _GROUP_BYTES = 131_072, 32 * 2**20


def compact(table: IcebergTable) -> tuple[str, ...]:
    """Write the small data files of ``table`` as one, where they are many.

    No row changes, in a snapshot of Iceberg's operation ``replace``. It bears no property: what a table knows of itself
    stands in the snapshot before. A partitioned table, and one that the driver cannot write, is left as it is.

    Returns:
        What was done, for a note; empty when the files are few.

    Raises:
        SystemFailureError: the files cannot be listed or committed, or another writer removed one of them. The table is as
            it was.
    """
    if not _may_have_many(table) or table.partition_fields() or not table.is_written_here():
        return ()
    crumbs = [file for file in table.held_files() if file.size < CRUMB]
    if len(crumbs) < _MANY:
        return ()
    place = table.new_file()
    try:
        written = write(place, _groups(crumbs, place.schema), {}, repetitive=texts_of(place.schema))
    except BaseException:
        table.remove_unshown([place.path])
        raise
    # from here on nobody can tell whether the file is shown: a commit whose answer is lost may stand
    table.exchange_alike([file.java for file in crumbs], [written] if written else [])
    return (f"{len(crumbs)} small files written together",)


def _may_have_many(table: IcebergTable) -> bool:
    """Whether to list the files, from the snapshot alone.

    All but ``size / CRUMB`` of the files are small for certain. That says little of a table with large files, so that after
    every :data:`_MANY` commits the files are listed whatever it says.
    """
    if table.file_count - table.size // CRUMB >= _MANY:
        return True
    return table.file_count >= _MANY and table.commit_count % _MANY == 0


def _groups(files: Sequence[HeldFile], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The rows of ``files`` in batches that are worth a row group each; in memory are those of one."""
    waiting: list[pa.RecordBatch] = []
    for file in files:
        for batch in file.batches(schema):
            waiting.append(batch)
            if (
                sum(one.num_rows for one in waiting) >= _GROUP_ROWS
                or sum(one.nbytes for one in waiting) >= _GROUP_BYTES
            ):
                yield from _joined(waiting, schema)
                waiting = []
    yield from _joined(waiting, schema)


def _joined(batches: Sequence[pa.RecordBatch], schema: pa.Schema) -> list[pa.RecordBatch]:
    return pa.Table.from_batches(batches, schema).combine_chunks().to_batches()  # type: ignore[no-any-return]
