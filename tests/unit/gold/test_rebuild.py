"""Gold that is made and made anew: analysts keep what they read, and nothing is made from what was lost."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from pyspark.sql import functions as F

from lakehouse.errors import ExitCode
from lakehouse.iceberg import write
from lakehouse.iceberg.properties import CODEC
from lakehouse.orchestrate.runs import Status, TableRun
from lakehouse.paths import TableName, raw
from lakehouse.publish import duckdb_file
from lakehouse.raw.columns import RAW_COLUMNS
from lakehouse.raw.state import State
from lakehouse.testing import local_frame
from tests.conftest import TestLake

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Shop:
    """Coupons in raw, put there as an ingest would, and a mart of them."""

    def __init__(self, lake: TestLake, tag: str) -> None:
        self.lake, self.coupons, self.mart = lake, f"coupons_{tag}", f"by_code_{tag}"
        lake.register(self.coupons, "source: {connection: app, relation: public.coupons}\n")
        self.write("code, count(*) AS coupons")

    def write(self, columns: str, more: str = "GROUP BY code", head: str = "") -> None:
        """Write the mart's SQL."""
        path = self.lake.folder / "domain" / f"{self.mart}.sql"
        path.write_text(f"{head}SELECT {columns} FROM silver.{self.coupons} {more}")

    def load(self, *rows: tuple[int, str | None]) -> None:
        """Make ``rows`` raw's content."""
        engine = {"_run_id": F.lit("r"), "_ingested_at": F.lit(NOW), "_op": F.lit("upsert"), "_misfits": F.lit(None)}
        frame = local_frame(self.lake.spark, list(rows), "id int, code string")
        full = frame.withColumns({column: value.cast(RAW_COLUMNS[column]) for column, value in engine.items()})
        write.replace(full, raw(self.coupons), self.lake.catalog, [], State(taken_at=NOW, key=("id",)).properties("r"))

    def run(self, *layers: str) -> dict[str, TableRun]:
        names = {"silver": f"silver.{self.coupons}", "gold": f"gold.{self.mart}"}
        return self.lake.run(*(names[layer] for layer in layers or names))

    def gold(self) -> list[tuple[object, ...]]:
        return self.lake.rows(f"gold.{self.mart}")


@pytest.fixture
def shop(make_lake: Callable[[], TestLake], request: pytest.FixtureRequest) -> Iterator[Shop]:
    shop = Shop(make_lake(), f"g{abs(hash(request.node.nodeid)) % 10**8}")
    shop.load((1, "a"), (2, "a"), (3, "b"))
    assert [done.error for done in shop.run().values() if done.error] == []
    yield shop
    for name in (f"raw.{shop.coupons}", f"silver.{shop.coupons}", f"gold.{shop.mart}"):
        shop.lake.spark.sql(f"DROP TABLE IF EXISTS {TableName.parse(name)} PURGE")


def published(shop: Shop, path: Path) -> Path:
    table = shop.lake.catalog.get(TableName.parse(f"gold.{shop.mart}"))
    duckdb_file.write(path, [duckdb_file.View.of(table)], {})
    return path


def asked(path: Path, shop: Shop) -> list[tuple[object, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(f"FROM {shop.mart} ORDER BY 1").fetchall()


def test_a_mart_with_other_columns_leaves_the_files_that_analysts_are_reading(shop: Shop, tmp_path: Path) -> None:
    path = published(shop, tmp_path / "analytics.duckdb")
    shop.write("code, count(*) AS coupons, max(id) AS newest")
    assert shop.run("gold")[f"gold.{shop.mart}"].status is Status.SUCCEEDED
    assert shop.gold() == [("a", 2, 2), ("b", 1, 3)]
    assert asked(path, shop) == [("a", 2), ("b", 1)]


def test_a_mart_whose_new_code_fails_is_as_it_was(shop: Shop, tmp_path: Path) -> None:
    path = published(shop, tmp_path / "analytics.duckdb")
    shop.write("CAST(code AS INT) AS code, 1 AS more", "")
    failed = shop.run("gold")[f"gold.{shop.mart}"]
    assert failed.status is Status.FAILED
    assert shop.gold() == [("a", 2), ("b", 1)]
    assert asked(path, shop) == [("a", 2), ("b", 1)]


@pytest.mark.parametrize("layout", ["grain: [id]", "partition_by: [code]"], ids=["merged", "partitions"])
def test_what_changes_among_rows_without_a_part_is_rebuilt(shop: Shop, layout: str) -> None:
    narrows = f"-- rebuild_by: [code]\n-- narrows: {{silver.{shop.coupons}: code}}\n"
    shop.write("id, code", "", f"-- {layout}\n{narrows}")
    shop.run("gold")
    for rows in ([(1, "a"), (2, None), (3, None)], [(1, "a"), (2, "b"), (3, None), (4, None)], [(1, "a"), (4, None)]):
        shop.load(*rows)
        done = shop.run()[f"gold.{shop.mart}"]
        assert "code rebuilt" in str(done.notes)
        assert shop.gold() == rows


def test_a_mart_with_large_dictionaries_is_asked_by_any_condition(shop: Shop) -> None:
    """Iceberg's reader looks into dictionaries for a condition, and fails on some codecs where one has more than 8 KiB."""
    many = 20_000
    shop.load(*((number, f"a code that is long {number % 2_000:05}") for number in range(many)))
    shop.write("id, code", "", "-- grain: [id]\n")
    shop.run()
    made = shop.lake.spark.table(f"iceberg.gold.{shop.mart}")
    assert made.where("code < 'a code that is long 00010'").count() == many // 2_000 * 10


def test_a_mart_whose_files_were_compressed_in_another_way_is_made_anew_when_it_changes(shop: Shop) -> None:
    table = f"iceberg.gold.{shop.mart}"
    shop.lake.spark.sql(f"ALTER TABLE {table} SET TBLPROPERTIES ('{CODEC}' = 'lz4_raw')")
    shop.load((1, "a"), (2, "a"), (3, "b"), (4, "b"))
    assert "rebuilt whole" in str(shop.run()[f"gold.{shop.mart}"].notes)
    assert shop.gold() == [("a", 2), ("b", 2)]
    made = shop.lake.catalog.get(TableName.parse(f"gold.{shop.mart}"))
    assert made.codec == "snappy"
    assert {Path(path.removeprefix("file:")).exists() for path in made.data_file_paths()} == {True}


TYPES = ("SMALLINT", "TINYINT", "INT", "BIGINT", "DOUBLE", "DECIMAL(9, 2)", "STRING", "VARCHAR(9)", "BOOLEAN", "BINARY")


@pytest.mark.parametrize("kind", [*TYPES, "DATE", "TIMESTAMP", "TIMESTAMP_NTZ", "ARRAY<STRING>", "STRUCT<a: INT>"])
def test_a_mart_is_rebuilt_in_part_whatever_its_columns_types(shop: Shop, kind: str) -> None:
    head = f"-- grain: [id]\n-- rebuild_by: [id]\n-- narrows: {{silver.{shop.coupons}: id}}\n"
    shop.write(f"id, CAST(NULL AS {kind}) AS value, code", "", head)
    shop.run("gold")
    shop.load((1, "a"), (2, "a"), (3, "c"))
    done = shop.run()[f"gold.{shop.mart}"]
    assert "1 id rebuilt" in str(done.notes)
    assert shop.gold() == [(1, None, "a"), (2, None, "a"), (3, None, "c")]


def test_silver_whose_types_change_leaves_its_older_snapshot_readable(shop: Shop) -> None:
    table = shop.lake.catalog.get(TableName.parse(f"silver.{shop.coupons}"))
    before = table.head
    shop.lake.register(shop.coupons, "source: {connection: app, relation: public.coupons}\ncolumns: {id: string}\n")
    assert [done.error for done in shop.run().values() if done.error] == []
    assert shop.lake.rows(f"silver.{shop.coupons}", "id") == [("1",), ("2",), ("3",)]
    old = shop.lake.spark.read.option("versionAsOf", str(before)).table(str(table.name))
    assert sorted(row.id for row in old.collect()) == [1, 2, 3]


def test_gold_is_not_made_from_an_input_that_lost_what_it_held(shop: Shop) -> None:
    """A table that another program dropped and made anew holds nothing; gold would be emptied by it."""
    name = TableName.parse(f"silver.{shop.coupons}")
    shop.lake.spark.sql(f"DROP TABLE {name}")
    shop.lake.catalog.create(name, {"id": "int", "code": "string"})
    refused = shop.run("gold")[f"gold.{shop.mart}"]
    assert f"its input silver.{shop.coupons} has no snapshot" in str(refused.error)
    assert refused.exit_code == ExitCode.DATA_FAILURE
    assert shop.gold() == [("a", 2), ("b", 1)]


def test_silver_is_not_made_from_raw_that_lost_what_it_held(shop: Shop) -> None:
    name = raw(shop.coupons)
    shop.lake.spark.sql(f"DROP TABLE {name}")
    shop.lake.catalog.create(name, {"id": "int", "code": "string", **RAW_COLUMNS})
    refused = shop.run("silver")[f"silver.{shop.coupons}"]
    assert f"{name.dotted} has no snapshot" in str(refused.error)
    assert shop.lake.rows(f"silver.{shop.coupons}", "count(*)") == [(3,)]


def test_silver_is_not_made_from_rows_that_no_state_vouches_for(shop: Shop) -> None:
    shop.lake.spark.sql(f"INSERT OVERWRITE {raw(shop.coupons)} SELECT * FROM {raw(shop.coupons)} LIMIT 1")
    shop.lake.spark.sql(
        f"CALL iceberg.system.expire_snapshots(table => 'raw.{shop.coupons}', retain_last => 1,"
        " older_than => TIMESTAMP '2100-01-01 00:00:00')"
    )
    refused = shop.run("silver")[f"silver.{shop.coupons}"]
    assert "none of the snapshots of" in str(refused.error)
    assert "--full-refresh --tables" in str(refused.error)
