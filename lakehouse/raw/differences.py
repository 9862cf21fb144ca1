"""What a read brings that raw does not hold alike: for sources that show no one moment, where reads overlap.

Few rows are compared by this process, many by Spark; both ways say the same.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.iceberg.data_files import WrittenFile, write
from lakehouse.iceberg.table import IcebergTable
from lakehouse.iceberg.writing import Writing
from lakehouse.paths import engine_column, quote
from lakehouse.raw.columns import UPSERT, Contract
from lakehouse.raw.deletes import Difference, difference, difference_of_keys, latest, same_key
from lakehouse.raw.gather import Gathering, written
from lakehouse.raw.held import Held, too_much
from lakehouse.raw.plan import ReadPlan
from lakehouse.sources.reader import COVERED, MISFITS, Bound, Reader

#: A read of more bytes is compared by Spark.
MOST_BYTES = 512 * 2**20

_IS_HELD, _PLACE = engine_column("is_held"), engine_column("place")


class Comparison(Protocol):
    """A read of a source beside what raw holds.

    Attributes:
        notes: what an operator should know of how they are compared.
    """

    @property
    def notes(self) -> tuple[str, ...]: ...

    def write_new(self, writing: Writing, constants: Mapping[str, Any]) -> list[WrittenFile]:
        """Data files of the rows that raw does not hold alike in every column."""
        ...

    def difference(self) -> Difference:
        """How the keys differ; those of the rows that were read count as raw's."""
        ...


@dataclass(frozen=True)
class Here:
    """Few rows, compared by this process.

    Attributes:
        read: the rows of the source within ``bound``.
        keys: all keys of the source, and :data:`COVERED`.
    """

    contract: Contract
    held: Held
    read: pa.Table
    keys: pa.Table
    bound: Bound | None
    notes: tuple[str, ...] = ()

    def write_new(self, writing: Writing, constants: Mapping[str, Any]) -> list[WrittenFile]:
        target = writing.new_file()
        schema = pa.schema([target.schema.field(name) for name in (*self.contract.names, MISFITS)])
        new = unlike_here(self.read.select(schema.names).cast(schema), self.held.rows(schema.names, self.bound))
        file = write(target, new.to_batches(), constants, self.contract.cursor)
        return [file] if file else []

    def difference(self) -> Difference:
        held = self.held.keys()
        known = pa.concat_tables([held, self.read.select(held.column_names).cast(held.schema)])
        return difference_of_keys(known, self.keys, self.contract.key)


@dataclass(frozen=True)
class BySpark:
    """Any number of rows, compared by Spark.

    Attributes:
        live: raw's newest versions.
        read, keys: as :class:`Here` has them.
        read_at: when the source was looked at.
    """

    contract: Contract
    live: DataFrame
    read: DataFrame
    keys: DataFrame
    read_at: datetime
    notes: tuple[str, ...] = ()

    def write_new(self, writing: Writing, constants: Mapping[str, Any]) -> list[WrittenFile]:
        new = unlike(self.read, as_read(self.live, self.contract)).persist()
        try:
            return written(new, writing, constants, self.contract.cursor)
        finally:
            new.unpersist()

    def difference(self) -> Difference:
        key = self.contract.key
        engine = [F.lit(self.read_at).cast("timestamp").alias("_ingested_at"), F.lit(UPSERT).alias("_op")]
        held = self.live.select(*map(quote, key), "_ingested_at", "_op")
        return difference(held.union(self.read.select(*map(quote, key), *engine)), self.keys, key)


@contextmanager
def beside(
    raw: IcebergTable,
    writing: Writing,
    reader: Reader,
    contract: Contract,
    gathering: Gathering,
    planned: ReadPlan,
    read_at: datetime,
) -> Iterator[Comparison]:
    """What ``planned`` reads beside ``raw``, compared by this process unless it is too much. Rows are read before keys."""
    why = too_much(raw)
    if why is None:
        read = _read(reader, contract, gathering, planned)
        if read is not None:
            yield Here(contract, Held(raw.data_file_paths(), writing.new_file(), contract.key), *read, planned.bound)
            return
        why = f"what is read of the source is more than {MOST_BYTES:,} bytes"
    live = latest(gathering.lake.spark.table(str(raw.name)), contract.key).persist()
    rows = gathering.frame(reader.read(contract.names, planned.bound), columns_of_rows(contract)).persist()
    keys = gathering.frame(reader.read_keys(contract.key, None), columns_of_keys(contract))
    try:
        yield BySpark(contract, live, rows, keys, read_at, (f"compared with raw by Spark: {why}",))
    finally:
        rows.unpersist()
        live.unpersist()


def _read(
    reader: Reader, contract: Contract, gathering: Gathering, planned: ReadPlan
) -> tuple[pa.Table, pa.Table] | None:
    """The rows and, if they are to be compared, the keys; ``None`` where they are too many."""
    parts = reader.read(contract.names, planned.bound)
    rows = gathering.table_within(MOST_BYTES, parts, columns_of_rows(contract))
    if rows is None:
        return None
    parts = reader.read_keys(contract.key, None) if planned.compares_keys else []
    keys = gathering.table_within(MOST_BYTES, parts, columns_of_keys(contract))
    return None if keys is None else (rows, keys)


def columns_of_rows(contract: Contract) -> dict[str, str]:
    """Name to Spark SQL type of the columns of a read."""
    return {**contract.lake_columns(), MISFITS: "string"}


def columns_of_keys(contract: Contract) -> dict[str, str]:
    """Name to Spark SQL type of the columns of a read of keys."""
    return {**{name: contract.column(name).lake_type for name in contract.key}, COVERED: "boolean"}


def as_read(live: DataFrame, contract: Contract) -> DataFrame:
    """Raw's newest versions in the columns of a read; a column that raw does not have yet is NULL."""
    there = set(live.columns)
    columns = [
        F.col(quote(name)) if name in there else F.lit(None).cast(kind).alias(name)
        for name, kind in contract.lake_columns().items()
    ]
    return live.select(*columns, F.col("_misfits").alias(MISFITS))


def unlike(read: DataFrame, live: DataFrame) -> DataFrame:
    """The rows of ``read`` that ``live`` does not have alike in every column, NULLs included."""
    left, right = read.alias("read"), live.alias("live")
    return left.join(right, same_key(left, right, read.columns), how="left_anti")


def unlike_here(read: pa.Table, live: Iterable[pa.RecordBatch]) -> pa.Table:
    """As :func:`unlike`, for rows in memory, in the order in which they were read.

    Args:
        live: with the columns and types of ``read``, in their order.
    """
    places = pa.array(range(read.num_rows), pa.int64())
    sides = [read.append_column(_IS_HELD, pa.repeat(False, read.num_rows)).append_column(_PLACE, places)]
    for batch in live:
        side = pa.Table.from_batches([batch]).append_column(_IS_HELD, pa.repeat(True, batch.num_rows))
        sides.append(side.append_column(_PLACE, pa.nulls(batch.num_rows, pa.int64())))
    both = pa.concat_tables([side.rename_columns(sides[0].column_names) for side in sides])
    alike = both.group_by(read.column_names).aggregate([(_IS_HELD, "any"), (_PLACE, "list")])
    new = pc.list_flatten(alike.filter(pc.invert(alike.column(f"{_IS_HELD}_any"))).column(f"{_PLACE}_list"))
    return read.take(new.take(pc.sort_indices(new)))
