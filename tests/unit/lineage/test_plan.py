"""Column lineage of plans made in Python, against what a reader says of them."""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from lakehouse.lineage.plan import Lineage, lineage


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
