"""Columns traced through all tables of a registry, and of a query in SQL, to where they come from."""

from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from lakehouse.lineage.trace import Traced, of
from lakehouse.registry import loader


def test_columns_are_traced_through_gold_and_silver_to_the_source(traced: Traced) -> None:
    assert traced.unknown == {}
    best = traced.tables["best"].columns
    assert {str(origin) for origin in best["most"]} == {"gold.daily.money", "rates.csv.rate"}
    sources = {name: sorted(s for origin in origins for s in traced.sources(origin)) for name, origins in best.items()}
    assert sources == {"most": ["app shop.orders.amount", "rates.csv.rate"], "since": ["app shop.orders.at"]}


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
    said = {name: ", ".join(map(str, origins)) for name, origins in found.columns.items()}
    assert said == {
        "name": "silver.users.name",
        "money": "silver.orders.amount",
        "other": "silver.orders.amount",
        "last_at": "silver.orders.at",
        "c": "silver.users.country",
        "zone": "",
    }
