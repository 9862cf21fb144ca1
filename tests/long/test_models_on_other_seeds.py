"""Models of the shop on shops of other seeds than those that other tests use: each is better than its baseline.

It is statistics, of shops large enough for them; `./scripts/test long` runs it.
"""

import subprocess
from collections.abc import Callable
from contextlib import closing

import pytest

from scripts.demo_data.ecommerce import generator
from tests.conftest import ROOT
from tests.e2e.conftest import Sandbox
from tests.integration.endpoints import PostgresEndpoint

pytestmark = pytest.mark.timeout(1800)
SCALE, SEEDS = 0.3, (101, 202, 303)


@pytest.mark.parametrize("seed", SEEDS)
def test_each_model_is_better_than_its_baseline_and_trains_again_to_the_same(
    app_database: PostgresEndpoint, make_sandbox: Callable[..., Sandbox], seed: int
) -> None:
    with closing(app_database.connect()) as postgres:
        with postgres.cursor() as cursor:
            cursor.execute("DROP SCHEMA IF EXISTS shop CASCADE")
        postgres.commit()
        generator.create_schema(postgres)
        generator.load(postgres, SCALE, seed)
    shop = make_sandbox(domain="ecommerce")
    tables = {event["table"]: event for event in shop.pipeline("--models") if event["event"] == "table"}
    trained = {name: event for name, event in tables.items() if name.startswith("model.")}
    assert len(trained) == 5
    assert {name: event["notes"] for name, event in trained.items() if ": promoted: " not in event["notes"][0]} == {}
    again = shop.submit("jobs/train_model.py", "--again", "1", "--model", *(name.partition(".")[2] for name in trained))
    assert again.count("was trained again from its snapshots: the same measures") == len(trained)
    unchanged = {event["status"] for event in shop.pipeline("--models") if event["event"] == "table"}
    assert unchanged == {"unchanged"}
    count = subprocess.run([str(ROOT / ".venv" / "bin" / "lakehouse"), "models", "--json"], env=shop.env,
                           capture_output=True, text=True, check=True).stdout.count('"promoted": true')  # fmt: skip
    assert count == len(trained)
