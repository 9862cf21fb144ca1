"""What a model reads: its tables, pinned to snapshots, and the day with which they end."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime

from pyspark.sql import DataFrame

from lakehouse.errors import DataError
from lakehouse.gold.inputs import rows_at
from lakehouse.iceberg.find_here import ends_of
from lakehouse.iceberg.lake import Lake
from lakehouse.iceberg.table import IcebergTable
from lakehouse.matching import ends_of as ends_of_rows
from lakehouse.registry.known import Known
from lakehouse.registry.models import Model


class Pinned(Mapping[str, DataFrame]):
    """The rows of a model's inputs, by the name that it gives them. Spark is asked for them when they are.

    Attributes:
        snapshots: of each table, by ``layer.table``; 0 of one that has none.
        size: of all of them, in bytes.
    """

    def __init__(self, model: Model, lake: Lake, snapshots: Mapping[str, int] | None = None) -> None:
        """The inputs as they are now, or at ``snapshots`` by ``layer.table``.

        Raises:
            DataError: a snapshot is not there any more.
        """
        self._model, self._lake = model, lake
        self._tables = {name: lake.catalog.get(read) for name, read in model.reads.items()}
        if snapshots is None:
            snapshots = {table.name.dotted: table.head or 0 for table in self._tables.values()}
        for table in self._tables.values():
            _refuse_lost(model, table, snapshots[table.name.dotted])
        self.snapshots = dict(snapshots)
        self.size = sum(table.size for table in self._tables.values())

    def __getitem__(self, name: str) -> DataFrame:
        table = self._tables[name]
        return rows_at(self._lake, table, self.snapshots[table.name.dotted])

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)

    def known_now(self) -> Known:
        """All that is known of whole days: the day of the newest row of the clock is not whole.

        Raises:
            DataError: the clock has no row.
        """
        said = self._model.said
        table, column = self._tables[said.clock], said.times[said.clock]
        snapshot = self.snapshots[table.name.dotted]
        # asked of the table and not of its rows: where nothing is due, Spark need not start
        ends = ends_of(table, column, snapshot) if snapshot and table.is_read_here() else None
        newest = ends[1] if ends else ends_of_rows(self[said.clock], column)[1]
        return Known(self, said.times, whole_days(self._model, newest))


def whole_days(model: Model, newest: object) -> date:
    """The day at whose beginning the whole days end, where ``newest`` is the newest moment of the clock."""
    if isinstance(newest, datetime):
        return (newest.astimezone(UTC) if newest.tzinfo else newest).date()
    if isinstance(newest, date):
        return newest
    clock = model.said.clock
    raise DataError(
        f"model {model.name}: its input {clock!r} has no row, so nobody knows which day it is; expected rows with "
        f"{model.said.times[clock]!r}. The last scores stay.",
        remedy=f"Fill {model.reads[clock].dotted} first.",
    )


def _refuse_lost(model: Model, table: IcebergTable, snapshot: int) -> None:
    if snapshot and snapshot != table.head and all(info.identifier != snapshot for info in table.history()):
        raise DataError(
            f"training model {model.name} again: snapshot {snapshot} of {table.name.dotted} is not there any more; expected "
            "what the version was trained from.",
            remedy="Snapshots are kept as long as the catalog keeps them; train the model anew.",
        )
