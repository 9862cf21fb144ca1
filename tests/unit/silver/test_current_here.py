"""Silver by the driver is silver by Spark: the same rows, quarantine, books and notes of the same loads."""

from collections.abc import Callable, Iterator
from datetime import date
from random import Random
from typing import Any

import pytest
from pyspark.sql import SparkSession

from lakehouse.errors import DataError
from lakehouse.iceberg.catalog import Catalog
from tests.unit.silver.two_ways import TwoWays, born, random_row

Make = Callable[..., TwoWays]


@pytest.fixture
def two_ways(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    made: list[TwoWays] = []

    def make(**contract: Any) -> TwoWays:
        made.append(TwoWays(spark, monkeypatch, **contract))
        return made[-1]

    yield make
    for one in made:
        one.drop()


@pytest.mark.parametrize("cursor", ["at", None], ids=["what came since", "all there is"])
def test_random_loads_come_to_the_same(two_ways: Make, cursor: str | None) -> None:
    """Keys with NULLs, duplicates read together, tombstones of unknown keys, rejected newest, misfits, personal data."""
    random = Random(7)
    both = two_ways(**({"cursor": cursor} if cursor else {}))
    both.load([random_row(random) for _ in range(40)])
    both.make_silver()
    outcomes = []
    for loads in ((25,), (3, 20), (12,)):
        for number in loads:
            rows = [random_row(random) for _ in range(number)]
            both.load([*rows, *rows[: number // 2]])  # some were read twice
        outcomes.append(both.make_silver())
    assert max(done.books.rejected for done in outcomes) > 0
    assert max(done.books.superseded for done in outcomes) > 0
    assert any("break check small" in note for done in outcomes for note in done.notes)


def test_a_key_that_is_pseudonymised_is_merged_by_what_silver_shows(two_ways: Make) -> None:
    random = Random(8)
    both = two_ways(cursor="at", columns={"part": {"pii": "pseudonymise"}, "v": "int"}, checks=[], partition_by=[])
    for _ in range(2):
        both.load([random_row(random) for _ in range(20)])
        both.make_silver()


def test_what_breaks_a_check_that_stops_is_refused_and_nothing_is_written(two_ways: Make) -> None:
    both = two_ways(cursor="at", checks=[{"name": "small", "expect": "v < 5", "on_failure": "fail"}])
    both.load([born(1, date(2024, 1, 1))])
    both.make_silver()
    held = both.here.rows("silver")
    both.load([born(1, date(2024, 1, 1), v="7")])
    with pytest.raises(DataError, match="1 rows break check 'small'"):
        both.make_silver()
    assert both.here.rows("silver") == held


def test_what_the_driver_wrote_is_found_by_its_partition_and_only_touched_partitions_are_written(
    two_ways: Make, spark: SparkSession
) -> None:
    both = two_ways(cursor="at")
    both.load(
        [born(key, day) for key, day in enumerate([date(1969, 12, 31), date(2024, 2, 1), date(2024, 3, 1), None])]
    )
    both.make_silver()
    name = both.here.names["silver"]
    files = set(Catalog.of_session(spark).get(name).data_file_paths())
    both.load([born(0, date(1969, 12, 30)), born(1, None)])
    both.make_silver()
    assert len(files - set(Catalog.of_session(spark).get(name).data_file_paths())) == 3
    found = spark.sql(f"SELECT id FROM {name} WHERE born < DATE '1970-01-01' OR born IS NULL ORDER BY id").collect()
    assert [row.id for row in found] == [0, 1, 3]
