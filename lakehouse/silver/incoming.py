"""Which rows of raw silver looks at: those that came since its last commit, or all of them."""

from dataclasses import dataclass

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from lakehouse.errors import DataError
from lakehouse.iceberg.consumed import Consumed, since
from lakehouse.iceberg.find_here import all_rows
from lakehouse.iceberg.table import IcebergTable
from lakehouse.paths import TableName
from lakehouse.raw.state import State, last_state
from lakehouse.registry.tables import Load, SourceTable

#: Bytes of data files up to which rows are the driver's affair: so few cost less than a Spark job for them does.
FEW_BYTES = 4 * 2**20


@dataclass(frozen=True)
class Batch:
    """The raw rows to look at.

    Attributes:
        raw: the table that holds them.
        after: the snapshot since which they came; ``None`` for all that raw holds.
        number: how many they are.
        size: bytes of their data files.
        rebuilds: whether what silver holds was decided by other rules, so that it is replaced and not merged with.
    """

    raw: "RawNow"
    after: int | None
    number: int
    size: int
    rebuilds: bool

    @property
    def whole(self) -> bool:
        """Whether they are all that raw holds, so that what they do not bring leaves silver."""
        return self.after is None

    @property
    def is_few(self) -> bool:
        """Whether the driver may read them."""
        return self.size <= FEW_BYTES and self.raw.table.is_read_here()

    def rows(self, spark: SparkSession) -> DataFrame:
        """The rows, for Spark to read."""
        name, head = str(self.raw.table.name), self.raw.head
        if self.after is None:
            return spark.read.option("versionAsOf", head).table(name)
        reader = spark.read.option("start-snapshot-id", self.after).option("end-snapshot-id", head)
        return reader.format("iceberg").load(name)

    def rows_here(self) -> pa.Table:
        """The rows, read by the driver."""
        table, schema = self.raw.table, self.raw.table.arrow_schema()
        is_whole, head = self.after is None, self.raw.head
        files = table.held_files(snapshot=head) if is_whole else table.appended_files(self.after or 0, head)
        return all_rows(files, schema)


@dataclass(frozen=True)
class RawNow:
    """Raw as a transform finds it."""

    table: IcebergTable
    head: int
    state: State

    @property
    def columns(self) -> dict[str, str]:
        """Name to Spark SQL type."""
        return {field.name: field.lake_type for field in self.table.fields}


def raw_now(source: IcebergTable, target: TableName, before: Consumed | None) -> RawNow | None:
    """Raw, which ``target`` is made from; ``None`` while nothing was loaded.

    Args:
        before: what ``target`` was made from last.

    Raises:
        DataError: it holds nothing although ``target`` was made from it, or holds rows that no state vouches for.
    """
    name, state = source.name.dotted, last_state(source)
    if source.head is None:
        if before is not None and before.inputs.get(name):
            raise DataError(
                f"making {target.dotted}: {name} has no snapshot, and the table was made from one of it before. It is as it "
                "was.",
                remedy=f"Load {source.name.table} first: run again without --layers.",
            )
        return None
    if state is None:
        raise DataError(
            f"making {target.dotted}: none of the snapshots of {name} says what was read of the source, its key included; "
            "another program wrote it, or the snapshot that said so was expired.",
            remedy=f"Run again with --full-refresh --tables {source.name.table}, which reads it anew.",
        )
    return RawNow(source, source.head, state)


def incoming(table: SourceTable, raw: RawNow, before: Consumed | None, definition: str) -> Batch | None:
    """The rows of raw to look at; ``None`` when what was made from it is up to date.

    Only what came since the last commit, where raw was only added to and nothing that decides rows changed.
    """
    name = raw.table.name.dotted
    known = before.inputs.get(name) if before is not None and before.definition == definition else None
    if known is not None and (known == raw.head or _only_notes(raw.table, known)):
        return None
    after = since(raw.table, known) if known is not None and table.load is not Load.FULL else None
    if known is None or after is None or any(info.operation not in {"append", "replace"} for info in after):
        return Batch(raw, None, raw.table.row_count, raw.table.size, rebuilds=known is None)
    appended = [info.summary for info in after if info.operation == "append"]
    number, size = (sum(int(said.get(name, 0)) for said in appended) for name in ("added-records", "added-files-size"))
    return Batch(raw, known, number, size, rebuilds=False)


def _only_notes(source: IcebergTable, known: int) -> bool:
    """Whether raw's snapshots since ``known`` brought no row: ingest noted something of its own, or wrote files together."""
    after = since(source, known)
    return after is not None and not any(
        info.operation != "replace" and ("added-records" in info.summary or "deleted-records" in info.summary)
        for info in after
    )
