"""What arrives comes once, in the version that is there, and in one commit with the position."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from pyspark.sql import SparkSession

from lakehouse.errors import BrakeError, DataError, SourceError
from lakehouse.iceberg.catalog import Catalog
from lakehouse.iceberg.lake import Lake
from lakehouse.paths import raw
from lakehouse.raw.load import ingest
from lakehouse.raw.loading import OpenedSource
from lakehouse.raw.request import Loaded, Request
from lakehouse.registry.tables import SourceTable
from tests.unit.raw.fake_feed import FakeFeed
from tests.unit.raw.fake_source import FakeSource


class Boxes:
    """A table of a feed, and loads of it one after the other."""

    def __init__(self, spark: SparkSession, name: str, **says: Any) -> None:
        self.lake, self.feed = Lake(spark, Catalog.of_session(spark)), FakeFeed()
        content: dict[str, Any] = {"table": name, "domain": "tests", "load": "arrivals"}
        content["source"] = {"connection": "app", "relation": "boxes"}
        self.table = SourceTable.model_validate(content | {"deletes": {"max_share": 1}} | says)
        self._runs = 0

    def load(self, source: FakeSource | None = None, **asks: Any) -> Loaded:
        self._runs += 1
        session: Any = source or self.feed
        with ThreadPoolExecutor(2) as readers:
            return ingest(self.table, OpenedSource(session, readers), self.lake, Request(f"run-{self._runs}", **asks))

    def held(self) -> list[tuple[Any, ...]]:
        """Box, id, ``v`` and operation of each row of raw."""
        rows = self.lake.spark.table(str(raw(self.table.table))).select("source_file", "id", "v", "_op").collect()
        return sorted(map(tuple, rows), key=str)

    def there(self) -> list[tuple[Any, ...]]:
        found = [
            (name, key, value, "upsert") for name, (_, rows) in self.feed.boxes.items() for key, value in rows.items()
        ]
        return sorted(found, key=str)


@pytest.fixture
def make(spark: SparkSession) -> Iterator[Callable[..., Boxes]]:
    made: list[Boxes] = []

    def boxes(**says: Any) -> Boxes:
        made.append(Boxes(spark, f"boxes_{uuid4().hex[:12]}", **says))
        return made[-1]

    yield boxes
    for one in made:
        spark.sql(f"DROP TABLE IF EXISTS {raw(one.table.table)} PURGE")


def test_after_any_changes_raw_holds_the_boxes_as_they_are(make: Callable[..., Boxes]) -> None:
    boxes, random = make(deletes={"detect": "keys", "max_share": 1}), Random(3)
    for _ in range(8):
        for _ in range(random.randint(1, 3)):
            name = random.choice("abcd")
            if name in boxes.feed.boxes and len(boxes.feed.boxes) > 1 and random.random() < 0.3:
                del boxes.feed.boxes[name]
            else:
                boxes.feed.fill(
                    name, **{f"r{random.randint(1, 9)}": random.choice("xyz") for _ in range(random.randint(1, 4))}
                )
        boxes.load()
        assert boxes.held() == boxes.there()
        assert boxes.load().snapshot is None


def test_a_feed_may_say_that_a_key_is_gone(make: Callable[..., Boxes]) -> None:
    boxes = make()
    boxes.feed.brings_deletes = True
    boxes.feed.fill("a", r1="x", r2="y")
    boxes.feed.fill("b", r1=None)
    boxes.load()
    assert boxes.held() == [("a", 1, "x", "upsert"), ("a", 2, "y", "upsert"), ("b", 1, None, "delete")]


def test_a_load_that_breaks_off_leaves_raw_and_its_position_as_they_were(make: Callable[..., Boxes]) -> None:
    boxes = make()
    boxes.feed.fill("a", r1="x")
    boxes.load()
    before = boxes.held()
    boxes.feed.fill("a", r1="y")
    boxes.feed.error = ValueError("gone")
    with pytest.raises(ValueError, match="gone"):
        boxes.load()
    assert boxes.held() == before
    table = boxes.lake.catalog.get(raw(boxes.table.table))
    shown = {Path(path).name for path in table.data_file_paths()}
    folder = Path(table.data_file_paths()[0].removeprefix("file:")).parent
    assert {path.name for path in folder.glob("*.parquet")} == shown
    boxes.feed.error = None
    assert boxes.load().notes == ("1 boxes read", "1 of them in place of another version (a)")
    assert boxes.held() == boxes.there()


def test_much_that_leaves_is_asked_for(make: Callable[..., Boxes]) -> None:
    boxes = make(deletes={"max_share": 0.4})
    boxes.feed.fill("a", r1="x", r2="x")
    boxes.feed.fill("b", r3="x")
    boxes.load()
    boxes.feed.fill("a")
    with pytest.raises(BrakeError, match=r"2 of 3 rows are gone at boxes"):
        boxes.load()
    assert boxes.load(accept_deletes=frozenset({boxes.table.table})).rows == 0
    assert boxes.held() == boxes.there()


def test_only_a_full_refresh_gives_up_what_is_no_longer_there(make: Callable[..., Boxes]) -> None:
    boxes = make()
    boxes.feed.fill("a", r1="x")
    boxes.feed.fill("b", r2="y")
    boxes.load()
    del boxes.feed.boxes["a"]
    boxes.feed.options = {"delimiter": ";"}
    assert (
        boxes.load().notes[0]
        == "all that is there is read: its delimiter is ; now, was None; its timezone is None now, was UTC"
    )
    assert [row[0] for row in boxes.held()] == ["a", "b"]
    boxes.load(full_refresh=True)
    assert boxes.held() == boxes.there()


def test_rows_without_a_position_stop_the_table(make: Callable[..., Boxes]) -> None:
    boxes = make()
    boxes.feed.fill("a", r1="x")
    boxes.load()
    other = make()
    other.table = other.table.model_copy(update={"table": boxes.table.table})
    boxes.lake.spark.sql(f"CREATE OR REPLACE TABLE {raw(boxes.table.table)} USING iceberg AS SELECT 1 AS id")
    with pytest.raises(DataError, match=r"none of its snapshots says up to where the source was read"):
        other.load()


def test_nothing_arrives_at_a_source_that_shows_rows_as_they_are(make: Callable[..., Boxes]) -> None:
    with pytest.raises(SourceError, match=r"app shows rows as they are, and nothing arrives there"):
        make().load(FakeSource())
