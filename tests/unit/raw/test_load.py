"""The one ingest, of a source that shows one moment and of one that does not: raw follows it, and its commits say how far."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pyspark.sql import SparkSession

from lakehouse.errors import BrakeError, DataError, SourceUnavailableError
from lakehouse.iceberg.catalog import Catalog
from lakehouse.iceberg.lake import Lake
from lakehouse.paths import raw
from lakehouse.raw import deletes
from lakehouse.raw.load import ingest
from lakehouse.raw.loading import OpenedSource
from lakehouse.raw.request import Loaded, Request, Window
from lakehouse.registry.tables import SourceTable
from tests.unit.raw.fake_source import FakeSource, minute

INCREMENTAL = {"cursor": "at", "deletes": {"max_share": 0.5}}


class Loading:
    """A table, its source, and loads of it one after the other."""

    def __init__(self, spark: SparkSession, name: str, source: FakeSource, **says: Any) -> None:
        self.lake, self.source = Lake(spark, Catalog.of_session(spark)), source
        content = {"table": name, "domain": "tests", "source": {"connection": "app", "relation": "public.t"}}
        self.table = SourceTable.model_validate(content | says)
        self._runs = 0

    def load(self, at: int, **asks: Any) -> Loaded:
        """A load at that minute of the source's clock."""
        self._runs += 1
        self.source.taken_at = minute(at)
        session: Any = self.source
        with ThreadPoolExecutor(2) as readers:
            return ingest(self.table, OpenedSource(session, readers), self.lake, Request(f"run-{self._runs}", **asks))

    def files(self) -> set[str]:
        """The data files below raw's folder, shown or not."""
        shown = self.lake.catalog.get(raw(self.table.table)).data_file_paths()
        folder = Path(shown[0].removeprefix("file:")).parent
        return {path.name for path in folder.glob("*.parquet")}

    def live(self) -> dict[int, Any]:
        """What raw says that the source holds: ``v`` by id."""
        rows = self.lake.spark.table(str(raw(self.table.table)))
        return {row["id"]: row["v"] for row in deletes.latest(rows, ["id"]).collect()}

    def there(self) -> dict[int, Any]:
        """What the source holds."""
        return {number: row["v"] for number, row in self.source.rows.items()}


@pytest.fixture(params=["one moment", "no one moment", "no one moment, by Spark"])
def make(
    request: pytest.FixtureRequest, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Loading]]:
    made: list[Loading] = []
    if "by Spark" in request.param:
        monkeypatch.setattr("lakehouse.raw.held.MOST_ROWS", 0)

    def loading(**says: Any) -> Loading:
        name = f"load_{uuid4().hex[:12]}"
        made.append(Loading(spark, name, FakeSource(one_moment=request.param == "one moment"), **says))
        made[-1].source.put(1, at=1, v="a")
        made[-1].source.put(2, at=2, v="b")
        made[-1].source.put(3, at=3, v="c")
        return made[-1]

    yield loading
    for one in made:
        spark.sql(f"DROP TABLE IF EXISTS {raw(one.table.table)} PURGE")


Make = Callable[..., Loading]


def test_a_first_load_brings_all_and_one_without_changes_brings_and_commits_nothing(make: Make) -> None:
    loading = make(**INCREMENTAL)
    first = loading.load(10)
    assert (first.rows, first.deletes, loading.live()) == (3, 0, loading.there())
    loading.load(20)
    again = loading.load(30)
    assert (again.rows, again.deletes, again.snapshot) == (0, 0, None)


def test_rows_that_are_new_changed_gone_or_late_are_followed(make: Make) -> None:
    loading = make(**INCREMENTAL)
    loading.load(10)
    del loading.source.rows[1]
    loading.source.put(2, at=11, v="B")
    loading.source.put(4, at=12, v="d")
    loading.source.put(5, at=0, v="late")  # stamped behind the watermark
    done = loading.load(20)
    assert loading.live() == loading.there() == {2: "B", 3: "c", 4: "d", 5: "late"}
    assert done.deletes == 1
    assert any("1 rows bore a at behind the watermark" in note for note in done.notes)


def test_the_next_load_reads_from_the_watermark_on(make: Make) -> None:
    loading = make(**INCREMENTAL, overlap="1 minute")
    loading.load(10)
    loading.source.put(4, at=11)
    loading.source.reads.clear()
    loading.load(20)
    (bound,) = loading.source.reads
    assert not isinstance(bound, int)
    assert bound is not None
    assert (bound.cursor, bound.lower, bound.upper) == ("at", minute(3) - timedelta(minutes=1), None)


def test_a_row_that_comes_back_after_it_was_gone_is_there_again(make: Make) -> None:
    loading = make(**INCREMENTAL)
    loading.load(10)
    gone = loading.source.rows.pop(1)
    loading.load(20)
    loading.source.rows[1] = gone
    loading.load(30)
    assert loading.live() == loading.there()


def test_a_source_that_shows_no_row_stops_the_table_and_raw_is_as_it_was(make: Make) -> None:
    loading = make(**INCREMENTAL)
    loading.load(10)
    before, files = loading.live(), loading.files()
    loading.source.rows.clear()
    with pytest.raises(BrakeError, match=r"the source shows no row at all at public\.t") as caught:
        loading.load(20)
    assert f"--accept-deletes {loading.table.table}" in str(caught.value)
    assert (loading.live(), loading.files()) == (before, files)
    assert loading.load(30, accept_deletes=frozenset({loading.table.table})).deletes == 3
    assert loading.live() == {}


def test_a_read_that_breaks_off_leaves_raw_and_its_folder_as_they_were(make: Make) -> None:
    loading = make(**INCREMENTAL)
    loading.load(10)
    before, files = loading.live(), loading.files()
    loading.source.put(4, at=11, v="d")
    loading.source.put(5, at=12, v="e")
    loading.source.error = SourceUnavailableError("the connection broke")
    with pytest.raises(SourceUnavailableError):
        loading.load(20)
    assert (loading.live(), loading.files()) == (before, files)
    loading.source.error = None
    loading.load(30)
    assert loading.live() == loading.there()


def test_a_range_of_days_is_read_again_and_leaves_the_watermark_where_it_was(make: Make) -> None:
    loading = make(**INCREMENTAL)
    loading.load(10)
    loading.source.rows[2]["v"] = "changed without a stamp"
    loading.source.put(4, at=5, v="d")
    loading.source.reads.clear()
    loading.load(20, window=Window(minute(2), minute(3)))
    assert loading.live()[2] == "changed without a stamp"
    assert 4 not in loading.live()
    loading.load(30)
    assert loading.live() == loading.there()


def test_a_full_load_takes_the_place_of_what_was_there_and_an_unchanged_one_is_left(make: Make) -> None:
    loading = make(deletes={"max_share": 0.5})
    assert loading.load(10).rows == 3
    loading.source.rows.pop(1)
    loading.source.put(4, at=1, v="d")
    done = loading.load(20)
    assert (done.rows, loading.live()) == (3, loading.there())
    rows = loading.lake.spark.table(str(raw(loading.table.table)))
    assert rows.count() == 3
    loading.load(30)
    assert loading.load(40).snapshot is None


def test_a_full_load_of_which_too_much_is_gone_stops_the_table(make: Make) -> None:
    loading = make(deletes={"max_share": 0.5})
    loading.load(10)
    loading.source.rows = {1: loading.source.rows[1]}
    with pytest.raises(BrakeError, match=r"2 of 3 rows are gone at public\.t \(67%\); expected at most 50%"):
        loading.load(20)
    assert loading.load(30, full_refresh=True).rows == 1


def test_a_new_column_is_read_for_the_rows_that_were_there_too(make: Make) -> None:
    loading = make(**INCREMENTAL)
    loading.load(10)
    loading.source.more = {"v": "string", "extra": "int"}
    for row in loading.source.rows.values():
        row["extra"] = 7
    done = loading.load(20)
    assert any("new column extra (int)" in note for note in done.notes)
    assert any("column extra was not read before" in note for note in done.notes)
    live = deletes.latest(loading.lake.spark.table(str(raw(loading.table.table))), ["id"])
    assert {row["extra"] for row in live.collect()} == {7}


def test_raw_that_holds_rows_and_no_state_is_an_error_and_never_a_beginning(make: Make) -> None:
    loading = make(**INCREMENTAL)
    columns = {"id": "bigint", "at": "timestamp", "v": "string", "_run_id": "string"}
    columns |= {"_ingested_at": "timestamp", "_op": "string", "_misfits": "string"}
    name = loading.lake.catalog.create(raw(loading.table.table), columns).name
    loading.lake.spark.sql(f"INSERT INTO {name} (id) VALUES (1)")
    with pytest.raises(DataError, match="raw holds 1 rows, and none of its snapshots says up to where"):
        loading.load(10)


def test_each_row_says_which_run_brought_it_and_when_the_source_was_looked_at(make: Make) -> None:
    loading = make(**INCREMENTAL)
    loading.load(10)
    rows = loading.lake.spark.table(str(raw(loading.table.table))).toArrow().to_pylist()
    said = {(row["_run_id"], row["_ingested_at"], row["_op"], row["_misfits"]) for row in rows}
    assert said == {("run-1", minute(10), "upsert", None)}
    assert isinstance(rows[0]["_ingested_at"], datetime)


class Jobs:
    """Counts the jobs that Spark runs in a ``with``."""

    def __init__(self, spark: SparkSession) -> None:
        self._spark = spark

    def __enter__(self) -> "Jobs":
        self._spark.sparkContext.setJobGroup(str(uuid4()), "counted")
        self._group = self._spark.sparkContext.getLocalProperty("spark.jobGroup.id")
        return self

    def __exit__(self, *_: object) -> None:
        self.count = len(self._spark.sparkContext.statusTracker().getJobIdsForGroup(self._group))
        self._spark.sparkContext.setLocalProperty("spark.jobGroup.id", None)  # type: ignore[arg-type]


def test_few_rows_of_a_source_without_one_moment_need_no_job_of_spark(spark: SparkSession) -> None:
    loading = Loading(spark, f"load_{uuid4().hex[:12]}", FakeSource(one_moment=False), **INCREMENTAL)
    for number in range(5):
        loading.source.put(number, at=number, v="a")
    with Jobs(spark) as jobs:
        loading.load(10)
        del loading.source.rows[1]
        loading.source.put(4, at=11, v="B")
        loading.source.put(7, at=0, v="late")
        loading.load(20)
        loading.load(30)
    assert jobs.count == 0
    assert loading.live() == loading.there()
    spark.sql(f"DROP TABLE IF EXISTS {raw(loading.table.table)} PURGE")


def test_what_is_compared_by_spark_is_noted_with_the_size_from_which_it_is(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    loading = Loading(spark, f"load_{uuid4().hex[:12]}", FakeSource(one_moment=False), **INCREMENTAL)
    loading.source.put(1, at=1, v="a")
    loading.load(10)
    loading.source.put(2, at=2, v="b")
    monkeypatch.setattr("lakehouse.raw.differences.MOST_BYTES", 1)
    notes = loading.load(20).notes
    assert "compared with raw by Spark: what is read of the source is more than 1 bytes" in notes
    monkeypatch.setattr("lakehouse.raw.held.MOST_ROWS", 0)
    loading.source.put(3, at=3, v="c")
    (note,) = loading.load(30).notes
    assert note.startswith("compared with raw by Spark: it holds 2 rows in ")
    assert loading.live() == loading.there()
    spark.sql(f"DROP TABLE IF EXISTS {raw(loading.table.table)} PURGE")


def test_after_many_small_loads_files_are_written_together_and_loads_go_on_as_before(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lakehouse.iceberg.compact._MANY", 4)
    loading = make(**INCREMENTAL)
    loading.load(10)
    for number in range(4, 10):
        loading.source.put(number, at=10 * number, v="new")
        loading.source.put(2, at=10 * number, v=f"changed {number}")
        done = loading.load(10 * number + 5)
        if any("small files written together" in note for note in done.notes):
            break
    table = loading.lake.catalog.get(raw(loading.table.table))
    assert [info.operation for info in table.history()][:2] == ["append", "replace"]
    assert len(table.data_file_paths()) <= 3
    assert done.deletes == 0
    assert loading.live() == loading.there()

    del loading.source.rows[3]
    loading.source.put(4, at=200, v="again")
    assert loading.load(205).deletes == 1
    assert loading.live() == loading.there()
    assert loading.load(300).snapshot is None
