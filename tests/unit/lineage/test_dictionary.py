"""The data dictionary of a small registry, for a lake that is not there yet."""

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from lakehouse.iceberg.metadata import LakeMetadata
from lakehouse.lineage.page import page
from lakehouse.lineage.trace import Traced, trace
from lakehouse.registry import loader
from lakehouse.registry.loader import Registry
from lakehouse.settings import Profile

ORDERS = """
description: Orders of the shop.
source: {connection: app, relation: shop.orders}
key: [id]
cursor: at
history: true
columns:
  id: int
  buyer: {type: int, source: Buyer No, pii: pseudonymise, description: Who bought.}
  at: timestamp
  amount: {type: "decimal(9,2)", nullable: false}
checks: [{name: amount_positive, expect: amount > 0, description: Nothing is given away.}]
partition_by: [days(at)]
"""
DAILY = """-- description: What each day brought.
-- grain: day
-- rebuild_by: day
-- narrows:
--   silver.orders: to_date(at)
-- columns:
--   day: Day of the order | UTC.
--   money: Σ amount.
SELECT to_date(at) AS day, sum(amount) AS money FROM silver.orders WHERE buyer IS NOT NULL GROUP BY 1
"""
BEST = """
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from lakehouse.transformer import transformer

@transformer(table="best", reads={"daily": "gold.daily", "versions": "silver.orders_history"})
def best(daily: DataFrame, versions: DataFrame, *, rates: DataFrame) -> DataFrame:
    \"\"\"The best day.\"\"\"
    since = versions.agg(F.min("valid_from").alias("since"))
    return daily.crossJoin(rates).agg(F.max(F.col("money") * F.col("rate")).alias("most")).crossJoin(since)
"""


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    folder = tmp_path / "registry" / "shop"
    (folder / "references").mkdir(parents=True)
    for name, text in {
        "orders.yml": ORDERS,
        "daily.sql": DAILY,
        "best.py": BEST,
        "references/rates.csv": "rate\n2\n",
    }.items():
        (folder / name).write_text(text)
    return loader.load(folder.parent)


@pytest.fixture
def lake(profile: Profile, tmp_path: Path) -> LakeMetadata:
    catalog = {"type": "jdbc", "uri": f"jdbc:sqlite:{tmp_path}/none.db"}
    return LakeMetadata(profile.model_copy(update={"catalog": catalog}))


@pytest.fixture
def traced(registry: Registry, lake: LakeMetadata, spark: SparkSession) -> Traced:
    return trace(registry, lake, {}, spark)


def test_columns_are_traced_through_gold_and_silver_to_the_source(traced: Traced) -> None:
    assert traced.unknown == {}
    best = traced.tables["best"].columns
    assert {str(origin) for origin in best["most"]} == {"gold.daily.money", "rates.csv.rate"}
    sources = {name: sorted(s for origin in origins for s in traced.sources(origin)) for name, origins in best.items()}
    assert sources == {"most": ["app shop.orders.amount", "rates.csv.rate"], "since": ["app shop.orders.at"]}


def test_the_page_says_what_each_column_is(registry: Registry, lake: LakeMetadata, traced: Traced) -> None:
    text = page(registry, lake, traced)
    for line in (
        "  - gold: [best](#goldbest), [daily](#golddaily)",
        "- **Rebuilt**: in part, by day, where rows of silver.orders changed",
        "- **Which rows there are** depends on: `silver.orders.at`, `silver.orders.buyer`",
        "| `day` | date | Day of the order \\| UTC. | `silver.orders.at` | `app shop.orders.at` |",
        "| `buyer` | string | Who bought. | pseudonymise |  | `Buyer No` |",
        "| `amount` | decimal(9,2) |  |  | required, amount_positive | `amount` |",
        "- **Checks**: `amount_positive`: Nothing is given away. (reject)",
    ):
        assert line in text.splitlines()
    assert text.count("### ") == 4


def test_a_table_whose_plan_cannot_be_made_says_why(
    registry: Registry, lake: LakeMetadata, spark: SparkSession
) -> None:
    (registry.folder / "shop" / "odd.sql").write_text("SELECT nothing_like_it FROM silver.orders")
    again = loader.load(registry.folder)
    traced = trace(again, lake, {}, spark)
    assert "nothing_like_it" in traced.unknown["odd"]
    assert "**Lineage not known**" in page(again, lake, traced)
