"""Models by the master script: their scores reach DuckDB, and one that fails holds no other table back."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.e2e.conftest import Sandbox

pytestmark = pytest.mark.timeout(300)
_PROFILE = """
catalog:
  type: jdbc
  uri: jdbc:sqlite:${home}/catalog.db?busy_timeout=30000
  jdbc.schema-version: V1
  warehouse: ${home}/warehouse
analytics: ${home}/analytics.duckdb
lock: {type: file, path: "${home}/run.lock"}
spark:
  master: local[*]
  conf: {spark.driver.host: 127.0.0.1, spark.driver.bindAddress: 127.0.0.1}
sources:
  folder: {type: files, root: "${root}/landing"}
models: {tracking: "sqlite:///${home}/models.db", artifacts: "${home}/models"}
"""
_TABLE = """source: {connection: folder, relation: '*.jsonl'}
load: arrivals
key: [id]
columns: {id: {nullable: false}, at: {type: timestamp, formats: [iso8601]}, value: double}
"""
_MART = "-- grain: [day]\nSELECT to_date(at) AS day, count(*) AS visits FROM silver.visits GROUP BY 1"
_MODEL = '''
from lakehouse.learning import Judged, Measure, model
from pyspark.sql import functions as F

@model(name="mean", scores="mean_scores", reads={"visits": "silver.visits"}, times={"visits": "at"}, clock="visits",
       holdout_days=3, gate="error", lower_is_better=True, grain="id", columns={"id": "Which.", "said": "The mean."})
class Mean:
    """The mean of what came."""
    def train(self, known, champion, seed):
        return {"mean.txt": str(known.table("visits").agg(F.avg("COLUMN")).first()[0]).encode()}
    def judge(self, trained, known, since, seed):
        return Judged({"error": Measure(0.5)}, {"error": Measure(1.0)}, 3)
    def score(self, trained, known):
        return known.table("visits").select("id", F.lit(float(trained["mean.txt"])).alias("said"))
'''


@pytest.fixture
def sandbox(tmp_path: Path, make_sandbox: Callable[..., Sandbox]) -> Sandbox:
    """A project of its own, of one file, a mart and a model."""
    for folder in ("conf", "registry/site", "landing"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "conf" / "site.yml").write_text(_PROFILE)
    shutil.copy(ROOT / "spark-defaults.conf", tmp_path)
    (tmp_path / "registry" / "site" / "visits.yml").write_text(_TABLE)
    (tmp_path / "registry" / "site" / "visits_by_day.sql").write_text(_MART)
    rows = [{"id": str(n), "at": f"2026-03-{1 + n % 9:02}T10:00:00Z", "value": n % 5} for n in range(45)]
    (tmp_path / "landing" / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    write(tmp_path, "amount")
    return make_sandbox("site", "site", LAKEHOUSE_ROOT=str(tmp_path), LAKEHOUSE_REGISTRY=str(tmp_path / "registry"))


def write(project: Path, column: str) -> None:
    """Write the model, which learns from ``column``."""
    (project / "registry" / "site" / "mean.py").write_text(_MODEL.replace("COLUMN", column))


def test_a_model_that_fails_holds_nothing_back_and_one_that_learns_is_in_duckdb(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    sandbox.pipeline("--models", code=3)
    ended = {name: event["status"] for name, event in sandbox.tables().items()}
    assert ended["model.mean"] == "failed"
    assert ended["gold.mean_scores"] == "skipped"
    assert ended["gold.visits_by_day"] == "succeeded"
    assert sandbox.events[-1]["published"]
    assert len(sandbox.sql("SELECT day FROM visits_by_day")) == 9
    write(tmp_path, "value")
    sandbox.pipeline("--models")
    assert sandbox.sql("SELECT count(*), min(model_version), max(as_of)::text, min(said) FROM mean_scores")[0][:3] == (
        40, 1, "2026-03-09")  # fmt: skip
    sandbox.pipeline("--models")
    assert {event["status"] for event in sandbox.tables().values()} == {"unchanged"}
    sandbox.pipeline()
    assert "model.mean" not in sandbox.tables()
    again = sandbox.submit("jobs/train_model.py", "--profile", "site", "--model", "mean", "--again", "1")
    assert again.count("the same measures") == 1
    refused = sandbox.submit("jobs/score_model.py", "--profile", "site", "--model", "means", code=2)
    assert "the registry has no model 'means'. Did you mean 'mean'?" in refused
