"""Models in a lake: trained where due, judged by what came since, promoted or not, and scored by their champion."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lakehouse.iceberg import write
from lakehouse.learning.store import ModelStore, model_store
from lakehouse.orchestrate.runs import Status, TableRun
from lakehouse.paths import TableName, silver
from lakehouse.settings import ModelSettings
from lakehouse.testing import local_frame
from tests.conftest import TestLake

BEGIN = datetime(2026, 1, 1, 12, tzinfo=UTC)
MODULE = '''
"""The mean of what came, as a model: it is wrong by BIAS."""

import json

from pyspark.sql import functions as F

from lakehouse.learning import Judged, Measure, model

BIAS = 0.0


@model(
    name="{name}", scores="{name}_scores", reads={{"events": "silver.{table}"}}, times={{"events": "at"}}, clock="events",
    holdout_days=5, retrain_days=10, gate="error", lower_is_better=True, grain="id",
    columns={{"id": "Which.", "said": "The mean."}},
)
class Mean:
    """The mean of what came."""

    def train(self, known, champion, seed):
        return {{"mean.json": json.dumps(self._mean(known.table("events")) + BIAS).encode()}}

    def judge(self, trained, known, since, seed):
        true = self._mean(known.table("events").where(F.col("at") >= F.lit(since)))
        errors = {{"error": Measure(abs(json.loads(trained["mean.json"]) - true))}}
        return Judged(errors, {{"error": Measure(3.0)}}, known.table("events").count())

    def score(self, trained, known):
        said = F.lit(json.loads(trained["mean.json"])).cast("double")
        return known.table("events").select("id", said.alias("said"))

    def _mean(self, rows):
        return float(rows.agg(F.avg("value")).first()[0])
'''


class World:
    """Events in silver, one a day, and a model of them."""

    def __init__(self, lake: TestLake, tag: str) -> None:
        self.lake, self.table, self.name = lake, f"events_{tag}", f"mean_{tag}"
        lake.register(self.table, "source: {connection: app, relation: public.events}\nkey: [id]\n")
        self.write()

    def write(self, **other: str) -> None:
        """Write the model's module, with texts in it replaced."""
        text = MODULE.format(name=self.name, table=self.table)
        for name, value in other.items():
            text = text.replace(f"{name} = 0.0", f"{name} = {value}")
        (self.lake.folder / "domain" / f"{self.name}.py").write_text(text)

    def bring(self, days: int) -> None:
        """Have events of so many days in silver."""
        rows = [(day, BEGIN + timedelta(days=day), float(day % 3)) for day in range(days)]
        frame = local_frame(self.lake.spark, rows, "id int, at timestamp, value double")
        write.replace(frame, silver(self.table), self.lake.catalog, [], {"example": "x"})

    def run(self, **options: object) -> tuple[TableRun, TableRun]:
        """Train and score; what became of both."""
        found = self.lake.run(f"model.{self.name}", f"gold.{self.name}_scores", **options)
        return found[f"model.{self.name}"], found[f"gold.{self.name}_scores"]

    def scores(self) -> list[tuple[object, ...]]:
        return self.lake.rows(f"gold.{self.name}_scores")

    @property
    def store(self) -> ModelStore:
        return model_store(self.lake.profile)


@pytest.fixture
def world(make_lake: Callable[[], TestLake], tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    lake = make_lake()
    settings = ModelSettings(tracking=f"sqlite:///{tmp_path}/models.db", artifacts=str(tmp_path / "models"))
    lake.profile = lake.profile.model_copy(update={"models": settings})
    found = World(lake, f"t{abs(hash(request.node.nodeid)) % 10**8}")
    found.bring(21)
    yield found
    for name in (silver(found.table), TableName.parse(f"gold.{found.name}_scores")):
        lake.spark.sql(f"DROP TABLE IF EXISTS {name} PURGE")


def test_a_model_is_trained_where_due_and_its_champion_scores(world: World) -> None:
    trained, scored = world.run()
    assert (trained.status, scored.status) == (Status.SUCCEEDED, Status.SUCCEEDED), (trained.error, scored.error)
    assert "version 1, judged by 20 rows: promoted: error" in trained.notes[0]
    assert {row[2:] for row in world.scores()} == {(1, datetime(2026, 1, 21, tzinfo=UTC).date())}
    assert len(world.scores()) == 20  # the last day is not whole
    assert [run.status for run in world.run()] == [Status.UNCHANGED, Status.UNCHANGED]
    world.bring(25)
    trained, scored = world.run()
    assert trained.notes == ("version 1 holds; the next is due on 2026-01-31",)
    assert scored.status is Status.SUCCEEDED
    assert len(world.scores()) == 24
    world.bring(36)
    trained, _ = world.run()
    assert "version 2" in trained.notes[0]
    assert world.store.versions(world.name)[0].inputs.keys() == {f"silver.{world.table}"}


def test_a_worse_challenger_is_not_promoted_and_says_why(world: World) -> None:
    world.run()
    before = world.scores()
    world.write(BIAS="2.0")
    trained, scored = world.run()
    assert "version 2, judged by 20 rows: not promoted: not better than the champion: error" in trained.notes[0]
    assert "champion (version 1)" in trained.notes[0]
    assert world.scores() == before
    assert scored.status in {Status.SUCCEEDED, Status.UNCHANGED}
    world.write(BIAS="9.0")
    assert "not better than the baseline" in world.run()[0].notes[0]
    champion = world.store.champion(world.name)
    assert champion is not None
    assert champion.number == 1


def test_a_first_version_that_is_not_better_than_the_baseline_scores_nothing(world: World) -> None:
    world.write(BIAS="9.0")
    trained, scored = world.run()
    assert "not promoted" in trained.notes[0]
    assert (scored.status, scored.notes) == (Status.UNCHANGED, (f"model {world.name} has no champion yet",))


def test_a_version_is_trained_again_to_the_same_measures_though_its_tables_went_on(world: World) -> None:
    world.run()
    world.lake.spark.sql(f"INSERT INTO {silver(world.table)} SELECT 99, TIMESTAMP '2026-02-01 00:00:00', 50.0D")
    trained = world.lake.run(f"model.{world.name}", again={world.name: 1})[f"model.{world.name}"]
    assert trained.notes == ("version 1 was trained again from its snapshots: the same measures (error)",), (
        trained.error
    )
    assert [version.number for version in world.store.versions(world.name)] == [1]
    failed = world.lake.run(f"model.{world.name}", again={world.name: 7})[f"model.{world.name}"]
    assert "training version 7 of model" in str(failed.error)
    assert "there are: 1." in str(failed.error)
    world.bring(22)
    failed = world.lake.run(f"model.{world.name}", again={world.name: 1})[f"model.{world.name}"]
    assert "is not there any more" in str(failed.error), failed.notes
    world.write(BIAS="1.0")
    failed = world.lake.run(f"model.{world.name}", again={world.name: 1})[f"model.{world.name}"]
    assert "its code, or what the registry says of it, was another one then" in str(failed.error)


def test_a_champion_whose_files_are_gone_is_told_and_the_last_scores_stay(world: World) -> None:
    world.run()
    before = world.scores()
    shutil.rmtree(str(world.lake.profile.models.artifacts))  # type: ignore[union-attr]
    world.bring(25)
    trained, scored = world.run()
    assert trained.status is Status.UNCHANGED
    assert scored.status is Status.FAILED
    assert "version 1 of model" in str(scored.error)
    assert "The last scores stay" in str(scored.error)
    assert world.scores() == before


def test_what_a_model_asks_for_and_is_not_there_is_told(world: World) -> None:
    text = (world.lake.folder / "domain" / f"{world.name}.py").read_text()
    (world.lake.folder / "domain" / f"{world.name}.py").write_text(text.replace('F.avg("value")', 'F.avg("amount")'))
    trained, scored = world.run()
    assert (trained.status, scored.status) == (Status.FAILED, Status.SKIPPED)
    assert "amount" in str(trained.error)
    assert "value" in str(trained.error)  # what there is in its place


def test_a_model_without_rows_and_a_profile_without_a_store_are_told(world: World) -> None:
    world.bring(0)
    trained, _ = world.run()
    assert "its input 'events' has no row, so nobody knows which day it is" in str(trained.error)
    world.bring(21)
    world.lake.profile = world.lake.profile.model_copy(update={"models": None})
    assert "says nothing of `models:`" in str(world.run()[0].error)
