"""Parts of a read come to where they are needed, whoever reads them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any, cast

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from lakehouse.errors import SourceUnavailableError
from lakehouse.iceberg.catalog import Catalog
from lakehouse.iceberg.data_files import FileTarget
from lakehouse.iceberg.lake import Lake
from lakehouse.iceberg.writing import Writing
from lakehouse.raw import gather
from lakehouse.raw.gather import Gathering, written
from lakehouse.testing import local_frame

COLUMNS = {"id": "int", "name": "string"}
CONSTANTS = {"_run_id": "run"}


@dataclass(frozen=True)
class Numbers:
    """A part of a source that is none: numbers, and a name for each."""

    start: int
    end: int

    def batches(self) -> Iterator[pa.RecordBatch]:
        ids = list(range(self.start, self.end))
        names = [f"n{number}" for number in ids]
        yield pa.RecordBatch.from_pydict({"id": pa.array(ids, pa.int32()), "name": pa.array(names, pa.string())})


class Folder:
    """Gives out places for data files, as a table does that waits for its commit."""

    schema = pa.schema([("id", pa.int32()), ("name", pa.string()), ("_run_id", pa.string())])

    def __init__(self, path: Path) -> None:
        self._path, self._given = path, 0

    def new_file(self) -> FileTarget:
        self._given += 1
        return FileTarget(str(self._path / f"{self._given}.parquet"), self.schema, {})

    def rows(self) -> list[tuple[Any, ...]]:
        tables = [pa.parquet.read_table(path) for path in sorted(self._path.glob("*.parquet"))]
        return sorted(tuple(row.values()) for table in tables for row in table.to_pylist())


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.fixture
def lake(spark: SparkSession) -> Lake:
    return Lake(spark, Catalog.of_session(spark))


@pytest.fixture(params=["by threads", "by tasks"])
def gathering(lake: Lake, request: pytest.FixtureRequest) -> Iterator[Gathering]:
    near = request.param == "by threads"
    with ThreadPoolExecutor(2) as readers:
        yield Gathering(lake, readers, in_threads=near, rows=None)


PARTS = [Numbers(0, 3), Numbers(3, 3), Numbers(3, 5)]
EXPECTED = [(number, f"n{number}", "run") for number in range(5)]


def test_each_part_that_has_rows_becomes_a_file_that_tells_its_highest_cursor(
    gathering: Gathering, folder: Folder
) -> None:
    files = gathering.files(PARTS, cast(Writing, folder), CONSTANTS, "id")
    assert sorted((file.rows, file.highest) for file in files) == [(2, 4), (3, 2)]
    assert folder.rows() == EXPECTED


class Broken:
    """A part whose connection breaks while another part is read."""

    def __init__(self, other: "Slow") -> None:
        self._other = other

    def batches(self) -> Iterator[pa.RecordBatch]:
        self._other.is_read.wait(10)
        yield from ()
        raise SourceUnavailableError("the connection broke")


class Slow:
    def __init__(self) -> None:
        self.is_read, self.is_done = Event(), False

    def batches(self) -> Iterator[pa.RecordBatch]:
        self.is_read.set()
        Event().wait(0.3)  # as long as a caller that did not wait would need to be gone
        yield from Numbers(0, 3).batches()
        self.is_done = True


def test_when_a_part_fails_nothing_is_written_any_more(lake: Lake, folder: Folder) -> None:
    """Else a file would come after those of the failed attempt were removed."""
    slow = Slow()
    with ThreadPoolExecutor(2) as readers:
        reading = Gathering(lake, readers, in_threads=True, rows=None)
        with pytest.raises(SourceUnavailableError):
            reading.files([Broken(slow), slow], cast(Writing, folder), CONSTANTS, "id")
        assert slow.is_done


def test_a_frame_has_the_rows_of_all_parts(gathering: Gathering) -> None:
    found = gathering.frame(PARTS, COLUMNS)
    assert found.dtypes == list(COLUMNS.items())
    assert sorted(tuple(row) for row in found.collect()) == [row[:2] for row in EXPECTED]


def test_a_read_without_rows_has_the_columns_all_the_same(gathering: Gathering) -> None:
    assert gathering.frame([Numbers(0, 0)], COLUMNS).collect() == []
    assert gathering.table([Numbers(0, 0)], COLUMNS).schema.names == ["id", "name"]


def test_few_rows_are_read_by_the_driver_wherever_spark_runs(lake: Lake) -> None:
    with ThreadPoolExecutor(1) as readers:
        slow = Gathering(lake, readers, in_threads=False, rows=gather.FEW + 1)
        assert not slow.is_near
        assert Gathering(lake, readers, in_threads=False, rows=gather.FEW).is_near
        assert Gathering(lake, readers, in_threads=True, rows=None).is_near  # one machine


@pytest.mark.parametrize("few", [10, 1], ids=["by the driver", "by tasks"])
def test_rows_of_a_frame_become_files(
    spark: SparkSession, folder: Folder, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gather, "FEW", few)
    rows = local_frame(spark, [row[:2] for row in EXPECTED], "id int, name string").repartition(2)
    files = written(rows, cast(Writing, folder), CONSTANTS, "id")
    assert (sum(file.rows for file in files), max(file.highest for file in files)) == (5, 4)
    assert folder.rows() == EXPECTED


def test_a_frame_without_rows_leaves_no_file(spark: SparkSession, folder: Folder) -> None:
    assert written(local_frame(spark, [], "id int, name string"), cast(Writing, folder), CONSTANTS, None) == []


def test_moments_keep_their_zone_on_the_way_through_spark(spark: SparkSession, tmp_path: Path) -> None:
    class Moments(Folder):
        schema = pa.schema([("at", pa.timestamp("us", tz="UTC"))])

    moments = Moments(tmp_path)
    at = datetime(2026, 1, 1, 12, tzinfo=UTC)
    files = written(local_frame(spark, [(at,)], "at timestamp"), cast(Writing, moments), {}, "at")
    assert [file.highest for file in files] == [at]
    assert moments.rows() == [(at,)]
