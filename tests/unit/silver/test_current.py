"""Silver as raw makes it, load after load: what is merged, what leaves, and what the source no longer tells."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from pyspark.sql import SparkSession

from lakehouse.iceberg.write import append, overwrite
from lakehouse.orchestrate.runs import Status, TableRun
from lakehouse.paths import quarantine, raw, silver
from lakehouse.raw.columns import RAW_COLUMNS
from lakehouse.raw.state import State
from lakehouse.testing import local_frame
from tests.conftest import TestLake

START = datetime(2026, 1, 1, tzinfo=UTC)
COLUMNS = {"id": "int", "v": "string", "w": "string"}
Row = tuple[Any, ...]


class Table:
    """A source table without a source: what a load would bring is put into raw."""

    def __init__(self, lake: TestLake, name: str) -> None:
        self.lake, self.name, self._loads = lake, name, 0

    def says(self, text: str = "") -> "Table":
        """Write the registry file."""
        self.lake.register(self.name, "source: {connection: app, relation: public.t}\n" + text)
        return self

    def load(self, *rows: Row, add: bool = False, op: str = "upsert", columns: dict[str, str] = COLUMNS) -> None:
        """One load; its rows take the place of all others, as in a full load, unless they are added."""
        self._loads += 1
        seen = START + timedelta(minutes=self._loads)
        name = raw(self.name)
        target = self.lake.catalog.find(name) or self.lake.catalog.create(name, columns | RAW_COLUMNS)
        engine = (f"load-{self._loads}", seen, op, None)
        schema = ", ".join(f"{column} {kind}" for column, kind in (columns | RAW_COLUMNS).items())
        frame = local_frame(self.lake.spark, [(*row, *engine) for row in rows], schema)
        properties = State(taken_at=seen, key=("id",)).properties(f"load-{self._loads}")
        (append if add else overwrite)(frame, target, properties)

    def make(self, **options: Any) -> TableRun:
        """Bring silver up to date."""
        return self.lake.run(f"silver.{self.name}", **options)[f"silver.{self.name}"]

    def rows(self, columns: str = "id, v, w") -> list[Row]:
        return self.lake.rows(f"silver.{self.name}", columns)


@pytest.fixture
def table(make_lake: Callable[[], TestLake], spark: SparkSession) -> Iterator[Table]:
    found = Table(make_lake(), f"c{uuid4().hex[:12]}")
    yield found
    for name in (raw(found.name), silver(found.name), quarantine(found.name)):
        spark.sql(f"DROP TABLE IF EXISTS {name} PURGE")


def books(run: TableRun) -> tuple[int, int, int, int]:
    assert run.error is None, run.error
    return run.rows_read, run.merged, run.superseded, run.rejected


DROPPED = "columns: {w: {dropped: true}}\n"
CURSOR = "cursor: id\n"


def test_a_dropped_column_keeps_what_silver_holds_under_a_full_load(table: Table) -> None:
    table.says().load((1, "a", "kept"), (2, "b", None), (3, "c", "gone with its row"))
    table.make()
    table.says(DROPPED).load((1, "a2", None), (2, "b2", None), (4, "new", None))
    table.make()  # another contract: silver is made anew
    assert table.rows() == [(1, "a2", "kept"), (2, "b2", None), (4, "new", None)]
    table.load((1, "a3", None), (4, "d", None))
    table.make()  # the same contract: merged
    assert table.rows() == [(1, "a3", "kept"), (4, "d", None)]


def test_a_dropped_column_keeps_what_silver_holds_when_it_is_asked_to_be_made_anew(table: Table) -> None:
    table.says(DROPPED).load((1, "a", "kept"))
    table.make()
    table.load((1, "a2", None))
    table.make(full_refresh=True)
    assert table.rows() == [(1, "a2", "kept")]


def test_a_column_that_is_there_and_empty_is_emptied(table: Table) -> None:
    table.says().load((1, "a", "was there"))
    table.make()
    table.load((1, "a", None))
    table.make()
    assert table.rows() == [(1, "a", None)]


def test_a_load_by_cursor_merges_what_came_and_a_tombstone_takes_its_row(table: Table) -> None:
    table.says(CURSOR).load((1, "a", ""), (2, "b", ""))
    assert books(table.make()) == (2, 2, 0, 0)
    table.load((2, "b2", ""), (3, "c", ""), add=True)
    table.load((1, None, None), add=True, op="delete")
    assert books(table.make()) == (3, 3, 0, 0)
    assert table.rows("id, v") == [(2, "b2"), (3, "c")]


def test_a_full_load_takes_the_rows_that_it_does_not_bring(table: Table) -> None:
    table.says().load((1, "a", ""), (2, "b", ""))
    table.make()
    table.load((2, "b", ""))
    assert books(table.make()) == (1, 1, 0, 0)
    assert table.rows("id, v") == [(2, "b")]


def test_a_key_whose_newest_row_is_rejected_has_no_row_until_one_passes(table: Table) -> None:
    table.says(CURSOR + "columns: {v: int}\n").load((1, "1", ""), (2, "2", ""))
    table.make()
    table.load((1, "ten", ""), add=True)
    assert books(table.make()) == (1, 0, 0, 1)
    assert table.rows("id, v") == [(2, 2)]
    table.load((1, "10", ""), add=True)
    table.make()
    assert table.rows("id, v") == [(1, 10), (2, 2)]
    assert table.lake.rows(f"quarantine.{table.name}") == []


def test_where_nothing_came_nothing_is_committed(table: Table) -> None:
    table.says().load((1, "a", ""))
    table.make()
    head = table.lake.catalog.get(silver(table.name)).head
    assert table.make().status is Status.UNCHANGED
    assert table.lake.catalog.get(silver(table.name)).head == head


def test_a_check_that_fails_stops_the_table_and_silver_is_as_it_was(table: Table) -> None:
    check = "checks: [{name: short, expect: length(v) < 3, on_failure: %s}]\n"
    table.says(check % "fail").load((1, "a", ""))
    table.make()
    table.load((1, "long", ""), (2, "longer", ""))
    stopped = table.make()
    assert stopped.exit_code == 1
    assert "2 rows break check 'short' (length(v) < 3), which stops the table" in str(stopped.error)
    assert table.rows("id, v") == [(1, "a")]
    warned = table.says(check % "warn").make()
    assert warned.notes == ("2 rows break check short (length(v) < 3)",)
    assert table.rows("id, v") == [(1, "long"), (2, "longer")]
