"""Ten days of the shop, each carried when it was played: nothing missed, nothing twice, nothing shown that is hidden."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from lakehouse.iceberg.lake import Lake
from lakehouse.orchestrate.plan import select
from lakehouse.paths import Layer, TableName, raw
from lakehouse.publish.duckdb_access import load_extensions
from lakehouse.publish.release import release
from lakehouse.registry import loader
from lakehouse.registry.loader import Registry
from lakehouse.settings import Profile
from scripts.demo_data.ecommerce import generator
from tests.conftest import ROOT, TestLake
from tests.integration.endpoints import PostgresEndpoint
from tests.integration.postgres_tables import source
from tests.oracles import shop as oracle

pytestmark = pytest.mark.timeout(2400)  # its ten days are a fixture

DAYS = 10
PERSONAL = {
    "customers": ("first_name", "last_name", "email", "phone", "birth_date", "card_number", "signup_ip"),
    "addresses": ("street",),
}
#: A network's first address is also the start of its truncated form, and a date may be a part of a moment.
WHOLE = {"birth_date", "signup_ip"}


@dataclass
class Shop:
    """A shop, a lake of it, and what was seen after the first load (day 0) and after each day."""

    connection: Any
    lake: TestLake
    home: Path
    registry: Registry
    differences: dict[int, list[str]] = field(default_factory=dict)
    unbalanced: dict[int, list[str]] = field(default_factory=dict)
    in_parts: set[str] = field(default_factory=set)
    originals: dict[str, set[str]] = field(default_factory=dict)

    def targets(self) -> list[TableName]:
        return select(self.registry, domains=["ecommerce"])

    def carry(self, *layers: Layer, full_refresh: bool = False) -> dict[str, Any]:
        """Run all of the shop's tables; returns what became of each."""
        targets = [target.dotted for target in self.targets() if target.layer in (layers or Layer)]
        runs = self.lake.run(*targets, full_refresh=full_refresh)
        assert [f"{name}: {run.error}" for name, run in runs.items() if run.error] == []
        return runs

    def live_day(self, number: int) -> None:
        """Carry what the day brought, and note what an auditor would."""
        self._note_originals()
        runs = self.carry()
        self.unbalanced[number] = [
            name
            for name, run in runs.items()
            if name.startswith("silver.") and run.rows_read != run.merged + run.superseded + run.rejected
        ]
        self.in_parts |= {name for name, run in runs.items() if number and "rebuilt whole" not in "; ".join(run.notes)}
        self.differences[number] = oracle.differences(self.hand_over(), self.connection)

    def hand_over(self) -> Path:
        """The analysts' file of what gold holds now."""
        profile = self.lake.profile.model_copy(update={"analytics": self.home / "analytics.duckdb"})
        return release(self.registry, Lake(self.lake.spark, self.lake.catalog), profile)

    def heads(self) -> dict[TableName, int]:
        """The current snapshot of each table of silver and gold."""
        names = [target for target in self.targets() if target.layer is not Layer.RAW]
        return {name: head for name in names if (head := self.lake.catalog.get(name).head) is not None}

    def folder(self, name: TableName) -> Path:
        """Where the table's files are."""
        return Path(self.lake.profile.catalog_properties()["warehouse"]) / name.layer.value / name.table

    def _note_originals(self) -> None:
        with self.connection.cursor() as cursor:
            for table, columns in PERSONAL.items():
                for column in columns:
                    cursor.execute(f"SELECT DISTINCT {column}::text FROM shop.{table} WHERE {column} IS NOT NULL")
                    found = {str(value) for (value,) in cursor.fetchall()}
                    self.originals.setdefault(column, set()).update(found)


@pytest.fixture(scope="module")
def shop(
    app_database: PostgresEndpoint, spark: SparkSession, profile: Profile, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    """The shop after ten days."""
    lake = TestLake(ROOT / "registry", spark, profile).with_source("app_pg", source(app_database))
    with closing(app_database.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS shop CASCADE")
        generator.create_schema(connection)
        generator.load(connection, scale=0.02, seed=11)
        shop = Shop(connection, lake, tmp_path_factory.mktemp("shop"), loader.load(lake.folder))
        shop.live_day(0)
        for number in range(1, DAYS + 1):
            generator.play_day(connection, seed=11, orders=40)
            shop.live_day(number)
        yield shop
        cursor.execute("DROP SCHEMA shop CASCADE")


def test_gold_equals_the_same_questions_asked_of_the_source_after_every_day(shop: Shop) -> None:
    assert shop.differences == {number: [] for number in range(DAYS + 1)}


def test_every_foreign_key_resolves(shop: Shop) -> None:
    assert oracle.orphans(shop.hand_over()) == []


def test_the_books_of_every_table_balance_in_every_run(shop: Shop) -> None:
    assert shop.unbalanced == {number: [] for number in range(DAYS + 1)}


def test_facts_and_marts_of_days_are_rebuilt_in_part(shop: Shop) -> None:
    facts = {f"gold.{table}" for table in oracle.KEYS if table.startswith("fct_")}
    assert shop.in_parts >= facts | {"gold.sales_daily", "gold.sales_by_day", "gold.logistics_performance"}


def test_ten_days_equal_a_rebuild_from_nothing(shop: Shop) -> None:
    before = shop.heads()
    shop.carry(Layer.SILVER, Layer.GOLD, full_refresh=True)
    assert shop.differences[DAYS] == oracle.differences(shop.hand_over(), shop.connection)
    after = shop.heads()
    assert {name for name in before if before[name] != after[name]} >= {*map(TableName.parse, ("gold.dim_customer",))}
    differ = [name.dotted for name in before if _differ(shop.lake.spark, name, before[name], after[name])]
    assert differ == []


def _differ(spark: SparkSession, name: TableName, before: int, after: int) -> bool:
    """Whether two snapshots of a table hold other rows; doubles may differ by the order in which they were added up."""
    held, rebuilt = (spark.read.option("versionAsOf", snapshot).table(str(name)) for snapshot in (before, after))
    columns = [F.round(column, 9).alias(column) if kind == "double" else column for column, kind in rebuilt.dtypes]
    held, rebuilt = held.select(*columns), rebuilt.select(*columns)
    return not (held.exceptAll(rebuilt).isEmpty() and rebuilt.exceptAll(held).isEmpty())


def test_no_file_of_silver_or_gold_holds_a_value_of_a_person(shop: Shop) -> None:
    cells = _cells(shop)
    assert len(cells) > 10_000
    assert all(len(values) > 50 for values in shop.originals.values())
    text = "\n".join(cells)
    for column, values in shop.originals.items():
        assert not values & cells, column
        if column not in WHOLE:
            assert [value for value in values if value in text] == [], column


def test_the_scan_finds_what_raw_holds(shop: Shop) -> None:
    with duckdb.connect() as connection:
        cells = _texts(connection, f"read_parquet('{shop.folder(raw('customers'))}/data/**/*.parquet')")
    assert shop.originals["email"] <= cells


def _cells(shop: Shop) -> set[str]:
    """Every value in every file of silver and gold, those no longer current included, and in their metadata."""
    cells: set[str] = set()
    with duckdb.connect() as connection:
        load_extensions(connection, "avro")
        for name in shop.heads():
            for file in shop.folder(name).rglob("*"):
                if file.suffix == ".parquet":
                    cells |= _texts(connection, f"read_parquet('{file}', hive_partitioning = false)")
                elif file.suffix == ".avro":
                    cells |= _texts(connection, f"read_avro('{file}')")
                elif file.suffix == ".json":
                    cells.add(file.read_text())
    return cells


def _texts(connection: duckdb.DuckDBPyConnection, files: str) -> set[str]:
    """Every value that ``files`` hold, as text."""
    rows = connection.execute(f"SELECT DISTINCT COLUMNS(*)::VARCHAR FROM {files}").fetchall()
    return {value for row in rows for value in row if value is not None}
