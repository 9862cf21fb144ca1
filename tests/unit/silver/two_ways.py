"""One source table loaded twice, under two names: what Spark makes of it beside what the driver makes of it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from lakehouse.iceberg.catalog import Catalog
from lakehouse.iceberg.data_files import write
from lakehouse.iceberg.find_here import all_rows
from lakehouse.iceberg.lake import Lake
from lakehouse.iceberg.table import IcebergTable
from lakehouse.paths import TableName, history, quarantine, raw, silver
from lakehouse.raw.columns import RAW_COLUMNS
from lakehouse.raw.state import State
from lakehouse.registry.tables import SourceTable
from lakehouse.silver.books import Transformed
from lakehouse.silver.current import to_silver
from lakehouse.silver.history import to_history
from lakehouse.spark import plan

START = datetime(2026, 1, 1, tzinfo=UTC)
KEY = ("id", "part")
COLUMNS = {"id": "int", "part": "string", "v": "string", "amount": "string", "at": "timestamp", "email": "string",
           "ip": "string", "note": "string", "born": "string", "real": "double", "blob": "binary"}  # fmt: skip
CONTRACT: dict[str, Any] = {
    "columns": {
        "v": "int", "amount": "decimal(8,2)", "email": {"pii": "pseudonymise", "trim": True}, "ip": {"pii": "truncate_ip"},
        "note": {"pii": "drop"}, "born": {"type": "date", "formats": ["yyyy-MM-dd", "dd.MM.yyyy"]},
    },
    "checks": [
        {"name": "positive", "expect": "amount > 0"},
        {"name": "reachable", "expect": "email LIKE '%@%'"},
        {"name": "small", "expect": "v < 5", "on_failure": "warn"},
    ],
    "partition_by": ["months(born)"],
    "sort_by": ["id"],
}  # fmt: skip
Row = dict[str, Any]


def random_row(random: Random) -> Row:
    """A version of a row, or a tombstone of a key, which may be one that was never there.

    Rows that differ in raw differ in silver, or in whether they pass: else either could be the one that is rejected.
    """
    key = {"id": random.choice([None, *range(1, 9)]), "part": random.choice(["a", "a", "b", None])}
    if random.random() < 0.2:
        return {**dict.fromkeys(COLUMNS), **key, "_op": "delete", "_misfits": None}
    fits = random.random() < 0.9
    return {
        **key,
        "v": random.choice(["1", "2", "7", "7", "x"]),
        "amount": random.choice(["1.50", "2", "-3.25", "1.005", "999999.99"]),
        "at": START + timedelta(minutes=random.randint(0, 5)) if fits else None,
        "email": random.choice([" a@x", "b@x", "none"]),
        "ip": random.choice([None, "10.1.2.3", "::1"]),
        "note": "secret",
        "born": random.choice(["1969-12-31", "01.02.2024", "2024-02-29", None]),
        "real": random.choice([None, 0.5, float("nan")]),
        "blob": random.choice([None, b"\x00\xff"]),
        "_op": "upsert",
        "_misfits": None if fits else '{"at":"infinity"}',
    }


class Side:
    """The table under one of its names."""

    def __init__(self, lake: Lake, contract: Mapping[str, Any]) -> None:
        self.lake, self._loads, self._made = lake, 0, 0
        said = {"domain": "d", "source": {"connection": "c", "relation": "r"}, "key": list(KEY), **CONTRACT, **contract}
        self.table = SourceTable.model_validate({"table": f"t{uuid4().hex[:12]}", **said})
        name = self.table.table
        self.names = {
            "raw": raw(name),
            "silver": silver(name),
            "quarantine": quarantine(name),
            "history": history(name),
        }
        self.raw = lake.catalog.create(self.names["raw"], COLUMNS | RAW_COLUMNS)

    def load(self, rows: Sequence[Row]) -> None:
        """One load; in a table without a cursor its rows take the place of all others."""
        self._loads += 1
        seen = {"_run_id": f"load-{self._loads}", "_ingested_at": START + timedelta(hours=self._loads)}
        target = self.raw.new_file()
        content = pa.Table.from_pylist([row | seen for row in rows], schema=target.schema)
        file = write(target, content.to_batches(), {})
        assert file is not None
        gone = [] if self.table.cursor else [held.java for held in self.raw.held_files()]
        self.raw.exchange(gone, [file], State(taken_at=seen["_ingested_at"], key=KEY).properties("load"))  # type: ignore[arg-type]

    def make(self, make: Any) -> Transformed:
        self._made += 1
        done: Transformed = make(
            self.table, self.lake, run_id=f"run-{self._made}", started_at=START, pseudonym_key=b"for tests only"
        )
        return done

    def found(self, layer: str) -> IcebergTable | None:
        return self.lake.catalog.find(self.names[layer])

    def rows(self, layer: str) -> Counter[str]:
        """What the table of a layer holds."""
        table = self.found(layer)
        return Counter() if table is None else told(all_rows(table.held_files(), table.arrow_schema()))

    def drop(self) -> None:
        names: list[TableName] = list(self.names.values())
        for name in names:
            self.lake.spark.sql(f"DROP TABLE IF EXISTS {name} PURGE")


def told(rows: pa.Table) -> Counter[str]:
    return Counter(map(repr, rows.to_pylist()))


class TwoWays:
    """The table made by the driver, and by Spark; what is held equal after each step."""

    def __init__(self, spark: SparkSession, monkeypatch: pytest.MonkeyPatch, **contract: Any) -> None:
        lake = Lake(spark, Catalog.of_session(spark)).in_a_session_of_its_own()
        plan(lake.spark, 0)
        self.here, self.by_spark = Side(lake, contract), Side(lake, contract)
        self._lake, self._monkeypatch = lake, monkeypatch

    def load(self, rows: Sequence[Row]) -> None:
        self.here.load(rows)
        self.by_spark.load(rows)

    def make_silver(self) -> Transformed:
        return self._make(to_silver, "silver", "quarantine")

    def make_history(self) -> Transformed:
        return self._make(to_history, "history")

    def _make(self, make: Any, *layers: str) -> Transformed:
        before, held = self.here.found(layers[0]), self.here.rows(layers[0])
        done = self.here.make(make)
        with self._monkeypatch.context() as patched:
            patched.setattr("lakehouse.silver.incoming.FEW_BYTES", -1)
            expected = self.by_spark.make(make)
        told = tuple(note for note in expected.notes if "by Spark" not in note)
        assert (done.books, done.notes) == (expected.books, told), (done, expected)
        for layer in layers:
            assert self.here.rows(layer) == self.by_spark.rows(layer), layer
        if before is not None and done.snapshot is not None:
            self._check_recorded(before, done.snapshot, held, self.here.rows(layers[0]))
        return done

    def _check_recorded(self, before: IcebergTable, snapshot: int, held: Counter[str], now: Counter[str]) -> None:
        """The driver did it, and told which rows it changed: those that one of the two has, and the other has not."""
        recorded = self._lake.changes.known_between(before, before.head or 0, snapshot)
        assert recorded is not None, "Spark made it"
        assert told(recorded) == (held - now) + (now - held)

    def drop(self) -> None:
        self.here.drop()
        self.by_spark.drop()


def born(key: int, day: date | None, **more: Any) -> Row:
    """A row that passes."""
    fine = {"v": "1", "amount": "1.50", "at": START, "email": "a@x", "_op": "upsert", "_misfits": None}
    return {**dict.fromkeys(COLUMNS), "id": key, "part": "a", "born": day and day.isoformat(), **fine, **more}
