"""Which rows of raw silver looks at, by raw's history alone; its snapshots are played."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from pyspark.sql import SparkSession

from lakehouse.errors import DataError
from lakehouse.iceberg.consumed import Consumed
from lakehouse.iceberg.described import Field
from lakehouse.iceberg.snapshots import SnapshotInfo
from lakehouse.iceberg.table import IcebergTable
from lakehouse.paths import TableName, raw, silver
from lakehouse.raw.state import PROPERTY, State
from lakehouse.registry.tables import SourceTable
from lakehouse.silver.incoming import Batch, RawNow, incoming, raw_now

STATE = State(taken_at=datetime(2026, 1, 1, tzinfo=UTC), key=("id",))
RAW, TARGET = raw("t"), silver("t")


@dataclass
class FakeRaw:
    """A raw table whose snapshots are numbered from 1; each is an operation and what its summary says."""

    snapshots: list[tuple[str, dict[str, str]]]
    name: TableName = RAW
    row_count: int = 40
    size: int = 4000
    fields: tuple[Field, ...] = (Field(1, "id", "int"), Field(2, "v", "string"))

    @property
    def head(self) -> int | None:
        return len(self.snapshots) or None

    def history(self) -> Iterator[SnapshotInfo]:
        for number in range(len(self.snapshots), 0, -1):
            operation, summary = self.snapshots[number - 1]
            yield SnapshotInfo(number, operation, number, summary)


@dataclass
class FakeReader:
    """Tells what was read of raw: the options, and that by :meth:`table` or :meth:`load`."""

    options: dict[str, Any] = field(default_factory=dict)

    def option(self, name: str, value: Any) -> "FakeReader":
        return FakeReader({**self.options, name: value})

    def format(self, name: str) -> "FakeReader":
        return self.option("format", name)

    def table(self, name: str) -> dict[str, Any]:
        return {**self.options, "table": name}

    load = table


SPARK = cast(SparkSession, SimpleNamespace(read=FakeReader()))


def table(load: str = "incremental") -> SourceTable:
    how = {"cursor": "at"} if load == "incremental" else {}
    return SourceTable.model_validate(
        {"table": "t", "domain": "d", "source": {"connection": "c", "relation": "r"}, **how}
    )


def append(rows: int) -> tuple[str, dict[str, str]]:
    return "append", {"added-records": str(rows), "added-files-size": str(100 * rows)}


OVERWRITE = ("overwrite", {"added-records": "9", "deleted-records": "8"})
COMPACTION = ("replace", {"added-records": "40", "deleted-records": "40"})
NOTES = ("append", {"lakehouse.state": "{}"})


def batch(
    *snapshots: tuple[str, dict[str, str]], known: int | None = 1, load: str = "incremental", definition: str = "same"
) -> Batch | None:
    """What is looked at where silver was made from snapshot ``known`` of raw, by the definition ``same``."""
    fake = FakeRaw(list(snapshots))
    assert fake.head is not None
    now = RawNow(cast(IcebergTable, fake), fake.head, STATE)
    before = None if known is None else Consumed({"raw.t": known}, "same")
    return incoming(table(load), now, before, definition)


def told(found: Batch | None) -> tuple[Any, int, int, bool, bool]:
    """What Spark is asked to read, the number of rows, their bytes, whether they are all, and whether silver is made anew."""
    assert found is not None
    return found.rows(SPARK), found.number, found.size, found.whole, found.rebuilds


WHOLE = {"table": "`iceberg`.`raw`.`t`"}


def test_the_first_time_all_of_raw_is_looked_at_as_it_is_at_its_head() -> None:
    found = batch(append(10), append(30), known=None)
    assert told(found) == ({"versionAsOf": 2, **WHOLE}, 40, 40 * 100, True, True)


def test_what_was_only_added_is_looked_at_and_no_more() -> None:
    found = batch(append(10), append(3), append(4))
    wanted = {"start-snapshot-id": 1, "end-snapshot-id": 3, "format": "iceberg", **WHOLE}
    assert told(found) == (wanted, 7, 7 * 100, False, False)


def test_where_nothing_came_there_is_nothing_to_look_at() -> None:
    assert batch(append(10)) is None


def test_notes_of_the_ingest_are_nothing_to_look_at_for_a_full_load_either() -> None:
    assert batch(append(10), NOTES, NOTES) is None
    assert batch(append(10), NOTES, load="full") is None


def test_a_compaction_adds_no_rows() -> None:
    found = batch(append(10), append(3), COMPACTION)
    assert found is not None
    assert (found.number, found.whole) == (3, False)


@pytest.mark.parametrize("load", ["incremental", "full"])
def test_a_compaction_alone_is_nothing_to_look_at(load: str) -> None:
    replaced = "replace", {"added-records": "5", "deleted-records": "5"}
    assert batch(append(5), replaced, load=load) is None


@pytest.mark.parametrize("replaced", [OVERWRITE, ("delete", {"deleted-records": "8"})], ids=["overwrite", "delete"])
def test_where_rows_of_raw_left_all_of_it_is_looked_at_and_silver_is_not_made_anew(
    replaced: tuple[str, dict[str, str]],
) -> None:
    found = batch(append(10), append(3), replaced, append(1))
    assert told(found) == ({"versionAsOf": 4, **WHOLE}, 40, 40 * 100, True, False)


def test_a_full_load_is_looked_at_whole() -> None:
    found = batch(append(10), append(3), load="full")
    assert told(found) == ({"versionAsOf": 2, **WHOLE}, 40, 40 * 100, True, False)


def test_other_rules_make_silver_anew_from_all_of_raw_even_where_raw_is_as_it_was() -> None:
    for load in ("incremental", "full"):
        found = batch(append(10), load=load, definition="other")
        assert told(found) == ({"versionAsOf": 1, **WHOLE}, 40, 40 * 100, True, True)


def test_where_raw_s_history_does_not_reach_back_all_of_it_is_looked_at() -> None:
    found = batch(append(10), append(3), known=7)
    assert told(found) == ({"versionAsOf": 2, **WHOLE}, 40, 40 * 100, True, False)


def found_now(fake: FakeRaw, before: Consumed | None) -> RawNow | None:
    return raw_now(cast(IcebergTable, fake), TARGET, before)


def test_raw_is_found_with_its_head_its_state_and_its_columns() -> None:
    fake = FakeRaw([("append", {PROPERTY: STATE.model_dump_json()}), append(1)])
    now = found_now(fake, None)
    assert now is not None
    assert (now.head, now.state, now.columns) == (2, STATE, {"id": "int", "v": "string"})


def test_while_nothing_was_loaded_there_is_nothing_to_make() -> None:
    assert found_now(FakeRaw([]), None) is None
    assert found_now(FakeRaw([]), Consumed({"raw.other": 5}, "d")) is None


def test_raw_that_holds_nothing_any_more_is_no_beginning() -> None:
    with pytest.raises(
        DataError, match=r"making silver.t: raw.t has no snapshot, and the table was made from"
    ) as caught:
        found_now(FakeRaw([]), Consumed({"raw.t": 5}, "d"))
    assert "Load t first" in str(caught.value)


def test_rows_that_no_state_vouches_for_are_not_taken() -> None:
    with pytest.raises(DataError, match=r"none of the snapshots of raw.t says what was read of the source") as caught:
        found_now(FakeRaw([append(3)]), None)
    assert "--full-refresh --tables t" in str(caught.value)
