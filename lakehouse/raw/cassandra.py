"""Ingest from Cassandra: by token range on the executors, from the watermark on, into raw.

Cassandra has no snapshot, no transactions, and no time of change that it could search by. So a load reads again what
``overlap`` covers and keeps what raw does not hold; comparing keys finds what vanished, and what came later than that.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.errors import ConfigurationError, DataError
from lakehouse.fingerprint import fingerprint
from lakehouse.iceberg.data_files import WrittenFile, write
from lakehouse.iceberg.lake import Lake
from lakehouse.iceberg.snapshots import RUN_PROPERTY
from lakehouse.iceberg.table import IcebergTable
from lakehouse.iceberg.write import append, overwrite
from lakehouse.paths import quote, raw
from lakehouse.raw import deletes as keys
from lakehouse.raw import target as raw_table
from lakehouse.raw.columns import DELETE, UPSERT, renames, resolve
from lakehouse.raw.load import Loaded, Request, check_brake
from lakehouse.raw.state import PROPERTY, State, last_state, lower_for_time
from lakehouse.registry.tables import SourceTable
from lakehouse.settings import CassandraSource, PostgresSource
from lakehouse.sources.cassandra import probe
from lakehouse.sources.cassandra.connection import connect
from lakehouse.sources.cassandra.datasource import read_table
from lakehouse.sources.cassandra.options import CassandraOptions
from lakehouse.sources.cassandra.query import CursorBound
from lakehouse.sources.cassandra.schema import CassandraTable, describe

_CURSORS = {"timestamp", "date", "int", "bigint"}


def options(source: CassandraSource) -> CassandraOptions:
    """The connector's options for a source of the profile."""
    return CassandraOptions(
        hosts=source.hosts,
        port=source.port,
        keyspace=source.keyspace,
        local_datacenter=source.local_datacenter,
        user=source.user,
        password=source.password.get_secret_value() if source.password else None,
        consistency=source.consistency,
        page_size=source.page_size,
        request_timeout_s=source.request_timeout_s,
        retries=source.retries,
        splits=source.splits,
    )


def ingest(table: SourceTable, source: CassandraSource | PostgresSource, lake: Lake, request: Request) -> Loaded:
    """Bring ``table`` into raw: its rows in one commit with the new state, vanished keys in a second.

    A crash between the two leaves rows without their tombstones; the next comparison of keys finds them.

    Raises:
        SourceUnavailableError: no node answered, after all attempts.
        SourceError, SchemaDriftError, BrakeError, DataError: see there; raw is as it was.
    """
    if not isinstance(source, CassandraSource):
        raise ConfigurationError(f"ingesting {table.table}: source {table.source.connection!r} is no Cassandra.")
    reach = options(source)
    with connect(reach) as session:
        described = describe(session, reach.keyspace, table.source.relation)
        described = described.renamed(renames(table, described.relation))
        work = _Ingest(table, reach, described, lake, request)
        if work.unchanged(session):
            return Loaded(table.table)
    loaded = work.run()
    work.remember()
    return loaded


class _Ingest:
    """One table's ingest, step by step."""

    def __init__(
        self, table: SourceTable, reach: CassandraOptions, described: CassandraTable, lake: Lake, request: Request
    ) -> None:
        self.table, self.reach, self.described, self.lake, self.request = table, reach, described, lake, request
        self.contract = resolve(table, described.relation)
        self.names = [column.name for column in self.contract.columns]
        cursor = self.contract.cursor
        if cursor and self.contract.column(cursor).lake_type not in _CURSORS:
            raise DataError(
                f"ingesting {table.table}: cursor {cursor!r} is {self.contract.column(cursor).source_type}; "
                "expected a timestamp, a date or an integer.",
                remedy="Name another, or load in full.",
            )
        self.raw = lake.catalog.find(raw(table.table))
        self.state = None if request.replaces(table) else last_state(self.raw)
        self.taken_at = self._now()
        self._compared = False
        self.drift = raw_table.drift(table, self.raw, self.contract, request)

    def _now(self) -> datetime:
        """The moment of this look at the source; later than the one before, whatever the clock says."""
        now = datetime.now(UTC)
        return max(now, self.state.taken_at + timedelta(milliseconds=1)) if self.state else now

    def unchanged(self, session: Any) -> bool:
        """Whether the source, where that is cheap to ask, shows just what raw holds."""
        state = self.state
        asked = self.request.full_refresh or self.request.window is not None
        if state is None or state.fingerprint is None or asked or self.drift.added:
            return False
        if int(state.fingerprint.partition(":")[0]) > probe.MOST_ROWS:
            return False
        found = probe.of_source(session, self.reach, self.described, self.names, self._bound(state))
        return found == state.fingerprint

    def remember(self) -> None:
        """Note what raw holds now, so that the next run can tell that nothing changed.

        A commit of its own, without rows: what was read is in raw already, whether or not this succeeds.
        """
        assert self.raw is not None
        state = last_state(self.raw)
        if state is None or not self.contract.key or not probe.has_fingerprint(self.described, self.names):
            return
        live = keys.latest(self.lake.spark.table(str(self.raw.name)), self.contract.key)
        found = probe.of_rows(live, self.described.relation.key, self.names, self._bound(state))
        noted: dict[str, Any] = {"fingerprint": found}
        if self._compared:
            noted["keys_compared_at"] = self.taken_at
        if found != state.fingerprint or (self._compared and self.table.deletes.every is not None):
            self.raw.append([], self._properties(state.model_copy(update=noted)))

    def _bound(self, state: State) -> CursorBound | None:
        """The rows of which a fingerprint covers more than the key; in a full load, all."""
        cursor = self.contract.cursor
        if cursor is None or state.lower is None:
            return CursorBound(self.names[0]) if cursor is None else None
        return CursorBound(cursor, _value(state.lower, self.contract.column(cursor).lake_type))

    def run(self) -> Loaded:
        self.raw = raw_table.prepared(self.table, self.raw, self.contract, self.drift, self.lake, self.request)
        if self.state is None:
            return self._everything(self.raw, held=0 if self.request.replaces(self.table) else self.raw.row_count)
        live = keys.latest(self.lake.spark.table(str(self.raw.name)), self.contract.key).persist()
        try:
            if self.contract.cursor is None:
                return self._differences(self.raw, self._read(), live, complete=True)
            partial = self._differences(self.raw, self._read_bounded(), live, complete=False)
            if self.request.window is None and keys.is_due(self.table, self.state, self.taken_at):
                return self._compare_keys(self.raw, live, partial)
            return partial
        finally:
            live.unpersist()

    def _read(self) -> DataFrame:
        return read_table(self.lake.spark, self.reach, self.described, columns=self.names, splits=self._splits)

    def _read_bounded(self) -> DataFrame:
        """The rows from the watermark, or of the range to replay; all of them when a column is new."""
        cursor, window = self.contract.cursor, self.request.window
        assert self.state is not None
        assert cursor is not None
        if self.drift.added or (window is None and (self.request.full_refresh or self.state.lower is None)):
            return self._read()
        kind = self.contract.column(cursor).lake_type
        lower = window.start if window else _value(str(self.state.lower), kind)
        return read_table(
            self.lake.spark,
            self.reach,
            self.described,
            columns=self.names,
            cursor=cursor,
            lower=lower,
            upper=window.end if window else None,
            splits=self._splits,
        )

    @property
    def _splits(self) -> int:
        return self.reach.splits or self.lake.spark.sparkContext.defaultParallelism

    def _everything(self, target: IcebergTable, held: int) -> Loaded:
        """The first load: what the source has becomes raw's content."""
        rows = self._stamped(self._read()).persist()
        try:
            count, highest = self._measure(rows)
            check_brake(self.table, held, count, held - count, self.request)
            snapshot = overwrite(rows, target, self._properties(self._next_state(highest, keys_compared=count)))
        finally:
            rows.unpersist()
        return Loaded(self.table.table, count, 0, snapshot)

    def _differences(self, target: IcebergTable, read: DataFrame, live: DataFrame, *, complete: bool) -> Loaded:
        """Add the rows of ``read`` that raw does not hold alike; with ``complete``, also tombstones for those gone."""
        held = live.select(*map(quote, self.names), "_misfits")
        rows = self._stamped(_unlike(read.persist(), held)).persist()
        try:
            count, highest = self._measure(rows)
            gone = keys.difference(live, read, self.contract.key).gone if complete else None
            files = self._tombstones(target, gone, live, read) if gone is not None else []
            if count == 0 and not files:
                return Loaded(self.table.table)
            properties = {RUN_PROPERTY: self.request.run_id}
            if self.request.window is None:
                properties = self._properties(self._next_state(highest, keys_compared=None))
            snapshot = append(rows, target, properties)
            if files:
                snapshot = target.append(files, {RUN_PROPERTY: self.request.run_id})
        finally:
            rows.unpersist()
        return Loaded(self.table.table, count, sum(file.rows for file in files), snapshot, self._notes())

    def _compare_keys(self, target: IcebergTable, live: DataFrame, partial: Loaded) -> Loaded:
        """Tombstones for the keys that vanished, and rows whose keys came later than the overlap covers."""
        key = list(self.contract.key)
        source = read_table(self.lake.spark, self.reach, self.described, columns=key, splits=self._splits)
        source = source.persist()
        try:
            held = live if partial.snapshot is None else keys.latest(self.lake.spark.table(str(target.name)), key)
            odd = keys.difference(held, source, key)
            self._compared = True
            files = self._tombstones(target, odd.gone, held, source)
        finally:
            source.unpersist()
        notes, rows = partial.notes, partial.rows
        snapshot = partial.snapshot
        if odd.unseen.num_rows:
            snapshot = append(self._stamped(self._with_keys(odd.unseen)), target, {RUN_PROPERTY: self.request.run_id})
            rows += odd.unseen.num_rows
            notes += (f"{odd.unseen.num_rows:,} rows came later than the overlap covers",)
        if files:
            snapshot = target.append(files, {RUN_PROPERTY: self.request.run_id})
        return Loaded(self.table.table, rows, sum(file.rows for file in files), snapshot, notes)

    def _with_keys(self, found: pa.Table) -> DataFrame:
        """The rows of the source with those keys."""
        wanted = self.lake.spark.createDataFrame(found)
        return self._read().join(wanted, on=list(self.contract.key), how="left_semi")

    def _tombstones(
        self, target: IcebergTable, gone: pa.Table, live: DataFrame, source: DataFrame
    ) -> list[WrittenFile]:
        """A file of tombstones for the keys ``gone``, if so many may go."""
        if gone.num_rows == 0:
            return []
        check_brake(self.table, live.count(), source.count(), gone.num_rows, self.request)
        later = self.taken_at + timedelta(microseconds=1)
        constants = {"_run_id": self.request.run_id, "_ingested_at": later, "_op": DELETE}
        file = write(target.new_file(), gone.to_batches(), constants)
        return [file] if file else []

    def _stamped(self, rows: DataFrame) -> DataFrame:
        return rows.select(
            *map(quote, self.names),
            F.lit(self.request.run_id).alias("_run_id"),
            F.lit(self.taken_at).cast("timestamp").alias("_ingested_at"),
            F.lit(UPSERT).alias("_op"),
            F.col("_misfits"),
        )

    def _measure(self, rows: DataFrame) -> tuple[int, Any]:
        cursor = self.contract.cursor
        is_time = cursor is not None and self.contract.column(cursor).lake_type == "timestamp"
        highest = F.max(quote(cursor)) if cursor else F.lit(None)
        row = rows.agg(F.count(F.lit(1)), F.unix_micros(highest) if is_time else highest).first()
        assert row is not None
        return row[0], _moment(row[1]) if is_time and row[1] is not None else row[1]

    def _next_state(self, highest: Any, keys_compared: int | None) -> State:
        previous = self.state
        columns = fingerprint(*(f"{c.source_name}:{c.name}:{c.source_type}" for c in self.contract.columns))
        lower = self._lower(highest) if highest is not None else previous.lower if previous else None
        return State(
            taken_at=self.taken_at,
            columns=columns,
            key=self.contract.key,
            lower=lower,
            highest=str(highest) if highest is not None else previous.highest if previous else None,
            reaches_back_to=self.taken_at,
            keys=keys_compared,
            keys_compared_at=self.taken_at
            if keys_compared is not None
            else previous.keys_compared_at
            if previous
            else None,
        )

    def _lower(self, highest: Any) -> str | None:
        if isinstance(highest, int):
            return str(highest)
        found = lower_for_time(highest, self.taken_at, self.table.overlap)
        before = self.state.lower if self.state else None
        return max(found, before) if found and before else found

    def _properties(self, state: State) -> dict[str, str]:
        return {PROPERTY: state.model_dump_json(), RUN_PROPERTY: self.request.run_id}

    def _notes(self) -> tuple[str, ...]:
        return tuple(f"new column {name} ({kind})" for name, kind in self.drift.added.items())


def _unlike(read: DataFrame, held: DataFrame) -> DataFrame:
    """The rows of ``read`` that ``held`` does not have alike in every column, NULLs included."""
    left, right = read.alias("read"), held.alias("held")
    return left.join(right, keys.same_key(left, right, read.columns), how="left_anti")


def _value(text: str, kind: str) -> datetime | date | int:
    if kind in {"int", "bigint"}:
        return int(text)
    return date.fromisoformat(text) if kind == "date" else datetime.fromisoformat(text)


def _moment(micros: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=micros)
