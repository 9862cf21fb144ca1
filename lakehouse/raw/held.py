"""What raw holds, read from its data files by this process: for tables that are small enough for that."""

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.iceberg.contents import DataFile
from lakehouse.iceberg.data_files import FileTarget
from lakehouse.iceberg.table import IcebergTable
from lakehouse.paths import engine_column
from lakehouse.raw.columns import DELETE
from lakehouse.sources.reader import Bound

#: Above so many rows (old versions and tombstones counted), or bytes of data files, Spark reads raw.
MOST_ROWS, MOST_BYTES = 2_000_000, 256 * 2**20

_SEEN = engine_column("seen")


class Held:
    """The newest version of each key, without the keys whose newest version is a tombstone.

    The keys of all versions are brought into memory once, with the moment each was seen; other columns only as they are asked
    for, batch by batch.

    Args:
        paths: raw's data files.
        table: a place in raw, in whose columns rows are told.
        key: the columns that make a row.
    """

    def __init__(self, paths: Sequence[str], table: FileTarget, key: Sequence[str]) -> None:
        self._files = [DataFile(path, table.properties) for path in paths]
        self._table, self._key = table.schema, tuple(key)

    def keys(self) -> pa.Table:
        """The key columns."""
        return self._newest[0]

    def rows(self, columns: Sequence[str], bound: Bound | None) -> Iterator[pa.RecordBatch]:
        """``columns`` of the rows whose cursor is from the bound's lower side on, or NULL; of all rows without one."""
        cursor, lower = (None, None) if bound is None else (bound.cursor, bound.lower)
        wanted = self._schema([*columns] if cursor is None or cursor in columns else [*columns, cursor])
        by = None if cursor is None else self._table.field(cursor)
        for file, is_newest in zip(self._files, self._newest[1], strict=True):
            for place, batch in file.placed(wanted, by, lower):
                there = pa.array(is_newest[place : place + batch.num_rows])
                if cursor is not None and lower is not None:
                    moved = batch.column(cursor)
                    below = pc.less(moved, pa.scalar(lower, moved.type))
                    there = pc.and_(there, pc.invert(pc.fill_null(below, False)))
                found = batch.filter(there)
                if found.num_rows:
                    yield found.select(list(columns))

    def _schema(self, columns: Sequence[str]) -> pa.Schema:
        return pa.schema([self._table.field(name) for name in columns])

    @cached_property
    def _newest(self) -> tuple[pa.Table, list[np.ndarray]]:
        """The keys that count, and for each file which of its rows are their newest version."""
        schema = self._schema([*self._key, "_ingested_at", "_op"])
        files = [pa.Table.from_batches(file.batches(schema), schema) for file in self._files]
        if not files:
            return self._schema(self._key).empty_table(), []
        versions = pa.concat_tables(files)
        count = versions.num_rows
        is_there = pc.not_equal(versions.column("_op"), DELETE).to_numpy()
        # when each was seen, as a number; of those seen at once a row goes before a tombstone
        at = versions.column("_ingested_at").cast(pa.int64()).to_numpy() * 2 + is_there
        order = np.unique(at, return_inverse=True)[1] * count + np.arange(count)
        sides = versions.select(list(self._key)).append_column(_SEEN, pa.array(order))
        groups = sides.group_by(list(self._key)).aggregate([(_SEEN, "max")])
        newest = groups.column(f"{_SEEN}_max").to_numpy() % count
        counts = is_there[newest]
        chosen = np.zeros(count, np.bool_)
        chosen[newest[counts]] = True
        ends = np.cumsum([file.num_rows for file in files])
        return groups.select(list(self._key)).filter(pa.array(counts)), np.split(chosen, ends[:-1])


def too_much(table: IcebergTable) -> str | None:
    """Why this process does not read ``table``, in words; ``None`` where it may."""
    summary = next(iter(table.history())).summary
    rows, size = int(summary.get("total-records", 0)), int(summary.get("total-files-size", 0))
    if int(summary.get("total-delete-files", 0)):
        return "another program left row-level deletes in it"
    if rows > MOST_ROWS or size > MOST_BYTES:
        return f"it holds {rows:,} rows in {size:,} bytes, above {MOST_ROWS:,} or {MOST_BYTES:,}"
    return None
