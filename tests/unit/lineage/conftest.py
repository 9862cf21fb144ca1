"""A small registry, for a lake that is not there yet, and tables for plans."""

from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession

from lakehouse.iceberg.metadata import LakeMetadata
from lakehouse.lineage.plan import tagged
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


@pytest.fixture(scope="module")
def orders(spark: SparkSession) -> DataFrame:
    return tagged(spark, "silver.orders", {"id": "int", "user_id": "int", "amount": "decimal(9,2)", "at": "timestamp"})


@pytest.fixture(scope="module")
def users(spark: SparkSession) -> DataFrame:
    return tagged(spark, "silver.users", {"id": "int", "name": "string", "country": "string"})
