"""Gold that is brought up to date part by part holds the rows of gold made at once, whatever changed.

``LAKEHOUSE_PARTS_PLAYS=50`` plays so many games instead of one, ``LAKEHOUSE_PARTS_SEED`` is the number of the first.
"""

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

import pyarrow.csv
import pytest
from pyspark.sql import DataFrame, SparkSession

from lakehouse.gold import inputs
from lakehouse.iceberg import write
from lakehouse.iceberg.consumed import Consumed
from lakehouse.paths import Layer, TableName, gold, silver
from lakehouse.registry import loader
from lakehouse.registry.transformers import Transformer
from lakehouse.settings import Profile
from lakehouse.spark import rows_to_frame
from tests.conftest import ROOT, TestLake
from tests.integration.random_rows import KINDS, Silver

PLAYS = int(os.environ.get("LAKEHOUSE_PARTS_PLAYS", "1"))
FIRST = int(os.environ.get("LAKEHOUSE_PARTS_SEED", "1"))
INCREMENTS, CHANGES = 2, 14
pytestmark = pytest.mark.timeout(600 + 300 * PLAYS)


class Game:
    """A lake whose silver changes by chance; what gold reads of it stands in memory, too."""

    def __init__(self, lake: TestLake, seed: int) -> None:
        self.lake, self.silver = lake, Silver(Random(seed))
        made = loader.load(lake.folder).transformers
        self.transformers = {name: transformer for name, transformer in made.items() if not transformer.model}

    def show(self, *names: str) -> None:
        """Make the rows the content of silver, as a run leaves them."""
        for name in names:
            rows = KINDS[name].frame(self.lake.spark, list(self.silver.tables[name].values()))
            target, properties = self.lake.catalog.find(silver(name)), Consumed({}, "").properties("silver")
            if target is None:
                write.replace(rows, silver(name), self.lake.catalog, [], properties)
            else:
                write.overwrite(rows, target, properties)

    def carry(self) -> dict[str, str]:
        """Bring gold up to date; returns what is noted of each table."""
        runs = self.lake.run(*(gold(name).dotted for name in self.transformers))
        assert [f"{name}: {run.error}" for name, run in runs.items() if run.error] == []
        return {name: "; ".join(run.notes) for name, run in runs.items()}

    def made_at_once(self) -> dict[str, DataFrame]:
        """What each gold table holds when it is made from nothing."""
        found: dict[TableName, DataFrame] = {}
        for name, rows in self.silver.tables.items():
            found[silver(name)] = KINDS[name].frame(self.lake.spark, list(rows.values()))
        for name, transformer in self.transformers.items():
            made = _whole(transformer, found, self.lake)
            found[gold(name)] = rows_to_frame(self.lake.spark, made.toArrow(), made.schema)
        return {name.table: frame for name, frame in found.items() if name.layer is Layer.GOLD}

    def differences(self) -> list[str]:
        """Rows that gold lacks or has too many of."""
        told = []
        for name, frame in self.made_at_once().items():
            expected, found = _rows(frame, frame.columns), _rows(self.lake.spark.table(str(gold(name))), frame.columns)
            told += [f"{name} lacks {dict(row)}" for row in (expected - found).elements()]
            told += [f"{name} should not have {dict(row)}" for row in (found - expected).elements()]
        return told

    def end(self) -> None:
        for name in (*map(silver, KINDS), *map(gold, self.transformers)):
            self.lake.spark.sql(f"DROP TABLE IF EXISTS {name} PURGE")


def _whole(transformer: Transformer, frames: Mapping[TableName, DataFrame], lake: TestLake) -> DataFrame:
    arguments: dict[str, Any] = {name: frames[read] for name, read in transformer.reads.items()}
    arguments |= {name: lake.profile.parameters[name] for name in transformer.parameters}
    for name, path in transformer.references.items():
        arguments[name] = lake.spark.createDataFrame(pyarrow.csv.read_csv(path))
    return transformer.function(**arguments, **dict.fromkeys(transformer.wants))


def _rows(frame: DataFrame, columns: list[str]) -> Counter[tuple[tuple[str, Any], ...]]:
    """How often each row is there; doubles may differ by the order in which they were added up."""
    rows = frame.select(*columns).toArrow().to_pylist()
    return Counter(
        tuple((name, round(value, 9) if isinstance(value, float) else value) for name, value in row.items())
        for row in rows
    )


@pytest.fixture
def lake(spark: SparkSession, profile: Profile) -> TestLake:
    return TestLake(ROOT / "registry", spark, profile)


@pytest.fixture
def game(lake: TestLake, seed: int) -> Iterator[Game]:
    game = Game(lake, seed)
    game.end()  # another test may have left its tables
    yield game
    game.end()


@pytest.mark.parametrize("seed", range(FIRST, FIRST + PLAYS))
def test_after_any_changes_gold_in_parts_equals_gold_made_at_once(game: Game, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each other increment finds its inputs as large tables, into which transformers look by keys."""
    game.show(*KINDS)
    game.carry()
    assert game.differences() == []
    for number in range(INCREMENTS):
        monkeypatch.setattr(inputs, "_SMALL", -1 if number % 2 == 0 else 2**20)
        changed = game.silver.change(CHANGES)
        game.show(*changed)
        notes = game.carry()
        assert game.differences() == [], f"increment {number}, changed {sorted(changed)}: {notes}"


def test_all_that_gold_reads_of_silver_is_played_with(lake: TestLake) -> None:
    read = {read for made in loader.load(lake.folder).transformers.values() for read in made.reads.values()}
    assert {name.table for name in read if name.layer is Layer.SILVER} == set(KINDS)
