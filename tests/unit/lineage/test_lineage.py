"""Column lineage of small transformers, in Python and in SQL, against what a reader says of them."""

from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from lakehouse.lineage.plan import Lineage, lineage, tagged
from lakehouse.lineage.trace import of
from lakehouse.registry import loader


@pytest.fixture(scope="module")
def orders(spark: SparkSession) -> DataFrame:
    return tagged(spark, "silver.orders", {"id": "int", "user_id": "int", "amount": "decimal(9,2)", "at": "timestamp"})


@pytest.fixture(scope="module")
def users(spark: SparkSession) -> DataFrame:
    return tagged(spark, "silver.users", {"id": "int", "name": "string", "country": "string"})


def said(found: Lineage) -> dict[str, str]:
    return {name: ", ".join(map(str, origins)) for name, origins in found.columns.items()}


def test_joins_aggregates_and_windows_are_followed_in_python(orders: DataFrame, users: DataFrame) -> None:
    per_user = orders.groupBy("user_id", F.to_date("at").alias("day")).agg(
        F.sum("amount").alias("money"), F.count(F.lit(1)).alias("orders")
    )
    ranked = per_user.withColumn("rank", F.row_number().over(Window.partitionBy("day").orderBy("money")))
    joined = ranked.join(users, F.col("user_id") == F.col("id"), "left").where(F.col("country").isNotNull())
    found = lineage(joined.select(F.upper("name").alias("who"), "day", "money", "orders", "rank"))
    assert said(found) == {
        "who": "silver.users.name",
        "day": "silver.orders.at",
        "money": "silver.orders.amount",
        "orders": "",
        "rank": "silver.orders.amount, silver.orders.at",
    }
    rows = "silver.orders.at, silver.orders.user_id, silver.users.country, silver.users.id"
    assert ", ".join(map(str, found.rows)) == rows
    assert found.types["day"] == "date"


def test_a_union_joins_columns_by_position_and_a_self_join_is_told_apart(orders: DataFrame, users: DataFrame) -> None:
    both = users.select("id", "name").union(orders.select("user_id", F.lit("?")))
    first = orders.groupBy("user_id").agg(F.min("at").alias("first_at"))
    found = lineage(
        both.join(first, both.id == first.user_id).join(orders, "user_id").select(both.id, "name", "first_at", "amount")
    )
    assert said(found) == {
        "id": "silver.orders.user_id, silver.users.id",
        "name": "silver.users.name",
        "first_at": "silver.orders.at",
        "amount": "silver.orders.amount",
    }


def test_common_tables_subqueries_lists_and_rollups_are_followed_in_sql(
    tmp_path: Path, orders: DataFrame, users: DataFrame, spark: SparkSession
) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "users.yml").write_text("source: {connection: app, relation: public.users}\n")
    (folder / "orders.yml").write_text("source: {connection: app, relation: public.orders}\n")
    (folder / "spending.sql").write_text("""
        WITH spent AS (SELECT user_id, sum(amount) AS money FROM silver.orders GROUP BY ROLLUP (user_id)),
             again AS (SELECT s.user_id, s.money, t.money AS other FROM spent s JOIN spent t USING (user_id))
        SELECT u.name, a.money, a.other, (SELECT max(at) FROM silver.orders) AS last_at, explode(array(u.country, 'x')) AS c,
               concat(:zone, '!') AS zone
          FROM again a JOIN silver.users u ON u.id = a.user_id
         WHERE EXISTS (SELECT 1 FROM silver.orders o WHERE o.user_id = u.id)
    """)
    transformer = loader.load(tmp_path).transformers["spending"]
    found = of(transformer, {"silver__orders": orders, "silver__users": users}, {"zone": "UTC"}, spark)
    assert said(found) == {
        "name": "silver.users.name",
        "money": "silver.orders.amount",
        "other": "silver.orders.amount",
        "last_at": "silver.orders.at",
        "c": "silver.users.country",
        "zone": "",
    }
