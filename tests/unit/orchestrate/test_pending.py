"""What applying a registry would change, asked of the tests' lake before and after it is applied."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from lakehouse.errors import ConfigurationError
from lakehouse.iceberg.metadata import LakeMetadata
from lakehouse.iceberg.write import overwrite
from lakehouse.orchestrate.change import Change, Kind
from lakehouse.orchestrate.pending import changes
from lakehouse.paths import raw, silver
from lakehouse.raw.columns import RAW_COLUMNS
from lakehouse.raw.state import PROPERTY, ReadColumn, State
from lakehouse.registry import loader
from lakehouse.settings import Profile
from lakehouse.testing import local_frame
from tests.conftest import TestLake

COLUMNS = {"id": "int", "code": "string", "placed_at": "timestamp"}
KEY = b"a key for tests only"
SOURCE = "source: {connection: app, relation: public.orders}\n"


class Shop:
    """One source table with rows in raw, and marts of it; names carry a tag of the test's own."""

    def __init__(self, lake: TestLake, tag: str) -> None:
        self.lake, self.orders, self.daily, self.monthly = lake, f"orders_{tag}", f"daily_{tag}", f"monthly_{tag}"
        self.contract(SOURCE)
        self.mart(self.daily, f"-- partition_by: day\nSELECT to_date(placed_at) AS day, count(*) AS orders"
                  f" FROM silver.{self.orders} GROUP BY 1")  # fmt: skip
        self.mart(
            self.monthly, f"SELECT trunc(day, 'month') AS month, sum(orders) AS n FROM gold.{self.daily} GROUP BY 1"
        )

    def contract(self, text: str) -> None:
        self.lake.register(self.orders, text)

    def mart(self, table: str, sql: str) -> None:
        (self.lake.folder / "domain" / f"{table}.sql").write_text(sql)

    def load(self) -> None:
        """Put two rows into raw, as an ingest would, and make silver and gold of them."""
        lake, name = self.lake, raw(self.orders)
        target = lake.catalog.create(name, {**COLUMNS, **RAW_COLUMNS})
        now = datetime(2026, 1, 1, tzinfo=UTC)
        rows = local_frame(
            lake.spark, [(1, "a", now), (2, "b", now)], ", ".join(f"{c} {k}" for c, k in COLUMNS.items())
        )
        engine = {"_run_id": F.lit("r"), "_ingested_at": F.lit(now), "_op": F.lit("upsert"), "_misfits": F.lit(None)}
        full = rows.withColumns({column: value.cast(RAW_COLUMNS[column]) for column, value in engine.items()})
        read = tuple(ReadColumn(name=name, source_name=name, source_type="t") for name in COLUMNS)
        state = State(taken_at=now, origin="app public.orders", key=("id",), columns=read)
        overwrite(full, target, {PROPERTY: state.model_dump_json()})
        self.apply()

    def apply(self) -> None:
        runs = self.lake.run(f"silver.{self.orders}", f"gold.{self.daily}", f"gold.{self.monthly}")
        assert [run.error for run in runs.values() if run.error] == []

    def pending(self) -> list[Change]:
        """The changes to this test's tables: others of the session share the catalog."""
        found = changes(
            loader.load(self.lake.folder), LakeMetadata(self.lake.profile), self.lake.profile.parameters, KEY
        )
        return [c for c in found if c.table.partition(".")[2] in {self.orders, self.daily, self.monthly}]

    def kinds(self) -> list[tuple[str, Kind]]:
        return [(change.table.partition("_")[0], change.kind) for change in self.pending()]


@pytest.fixture
def shop(make_lake: Callable[[], TestLake], request: pytest.FixtureRequest) -> Shop:
    """Tables of the test's own, which are not there yet."""
    return Shop(make_lake(), f"p{abs(hash(request.node.nodeid)) % 10**8}")


@pytest.fixture(scope="module")
def applied(spark: SparkSession, profile: Profile, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Tables and a registry for tests that apply what they change: each finds all applied, and leaves it so."""
    shop = Shop(TestLake(tmp_path_factory.mktemp("applied"), spark, profile), "applied")
    shop.load()
    return shop


@pytest.fixture(scope="module")
def shared(spark: SparkSession, profile: Profile, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The tag of tables that are loaded once: loading takes longer than all that is asked of them."""
    tag = "asked"
    Shop(TestLake(tmp_path_factory.mktemp("asked"), spark, profile), tag).load()
    return tag


@pytest.fixture
def loaded(shared: str, make_lake: Callable[[], TestLake]) -> Shop:
    """The shared tables, and a registry of the test's own: it may be changed, but not applied."""
    return Shop(make_lake(), shared)


def test_a_fresh_registry_lists_the_tables_that_will_be_made(shop: Shop) -> None:
    assert shop.kinds() == [
        (f"{name}", Kind.NEW) for name in ("raw.orders", "silver.orders", "gold.daily", "gold.monthly")
    ]
    assert shop.pending()[0].detail == "loaded from app: public.orders"


def test_nothing_is_listed_when_all_is_applied(loaded: Shop) -> None:
    assert loaded.pending() == []


def test_a_changed_transformer_is_listed_and_what_is_made_from_it(applied: Shop) -> None:
    applied.mart(applied.daily, f"-- partition_by: day\nSELECT to_date(placed_at) AS day, count(*) + 1 AS orders"
                f" FROM silver.{applied.orders} GROUP BY 1")  # fmt: skip
    assert applied.kinds() == [("gold.daily", Kind.TRANSFORMER), ("gold.monthly", Kind.DOWNSTREAM)]
    applied.apply()
    assert applied.pending() == []


def test_a_changed_contract_is_listed_with_its_columns(loaded: Shop) -> None:
    loaded.contract(SOURCE + "columns: {id: bigint, code: {pii: drop}, paid_at: timestamp}\n")
    found = {(change.table.partition("_")[0], change.kind): change.detail for change in loaded.pending()}
    detail = found["silver.orders", Kind.COLUMNS]
    assert detail == "gains paid_at (timestamp); loses code; id becomes bigint, was int"
    assert ("silver.orders", Kind.CONTRACT) in found
    assert "silver.orders" in found["gold.daily", Kind.DOWNSTREAM]


def test_what_a_load_reads_otherwise_is_listed_for_raw(loaded: Shop) -> None:
    loaded.contract("source: {connection: elsewhere, relation: public.orders}\n")
    assert loaded.kinds() == [("raw.orders", Kind.READ)]
    assert "it comes from elsewhere public.orders now, before from app public.orders" in loaded.pending()[0].detail
    loaded.contract(SOURCE + "key: [code]\ncursor: placed_at\nhistory: true\n")
    assert ("raw.orders", Kind.STOPS) in loaded.kinds()


def test_a_policy_for_personal_data_is_a_changed_contract(loaded: Shop) -> None:
    loaded.contract(SOURCE + "columns: {code: {pii: redact}}\n")
    assert ("silver.orders", Kind.CONTRACT) in loaded.kinds()


def test_changes_of_partitioning_and_sort_are_listed_and_stand_in_the_metadata_when_applied(applied: Shop) -> None:
    applied.contract(SOURCE + "partition_by: [days(placed_at), 'bucket(4,id)']\nsort_by: [code, id]\n")
    assert [(change.kind, change.detail) for change in applied.pending()] == [
        (Kind.LAYOUT, "partitioned by days(placed_at), bucket(4, id), was by nothing"),
        (Kind.LAYOUT, "sorted by code, id, was by nothing"),
    ]
    applied.apply()
    assert applied.pending() == []
    found = LakeMetadata(applied.lake.profile).find(silver(applied.orders))
    live = applied.lake.catalog.get(silver(applied.orders))
    assert found is not None
    assert (found.columns, found.partition_by) == (COLUMNS, ("days(placed_at)", "bucket(4, id)"))
    assert (found.sort_by, found.row_count) == (("code", "id"), 2)
    assert (found.head, found.fields) == (live.head, live.fields)
    assert list(found.history()) == list(live.history())


def test_what_stops_the_next_run_is_listed(loaded: Shop) -> None:
    loaded.contract(SOURCE + "holds_pii: true\ncolumns: {id: {pii: none}}\n")
    assert ("silver.orders", Kind.STOPS) in loaded.kinds()


def test_a_table_that_the_registry_no_longer_makes_is_listed(loaded: Shop) -> None:
    (loaded.lake.folder / "domain" / f"{loaded.monthly}.sql").unlink()
    assert loaded.kinds() == [("gold.monthly", Kind.UNMADE)]


def test_a_catalog_that_needs_spark_is_refused_with_what_is_expected(shop: Shop) -> None:
    profile = shop.lake.profile.model_copy(update={"catalog": {"type": "glue"}})
    with pytest.raises(ConfigurationError, match="a catalog of type 'glue'; expected `type: rest`"):
        LakeMetadata(profile)
