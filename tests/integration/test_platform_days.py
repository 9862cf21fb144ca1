"""Clicks, companies and sales of the platform, at first and after five days of late files, events that come twice and by two
ways, files that were cut off, documents that are changed and deleted: each gold number is the one that an oracle finds."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import pytest
from pyspark.sql import SparkSession

from lakehouse.orchestrate.plan import select
from lakehouse.registry import loader
from lakehouse.settings import Profile
from lakehouse.sources.documents.settings import Settings as DocumentsSource
from lakehouse.sources.files.settings import Settings
from lakehouse.sources.kafka.settings import Settings as KafkaSource
from scripts.demo_data.platform import clicks, sales, startups, stream
from scripts.demo_data.platform.landing import Landing
from scripts.services.documents import Documents
from scripts.services.kafka import Kafka
from scripts.services.settings import HOST
from tests.conftest import ROOT, TestLake
from tests.oracles import platform as oracle
from tests.oracles import platform_sales as sales_oracle

pytestmark = pytest.mark.timeout(900)
DAYS, SCALE = 5, 0.15
_SESSION = (
    "session_key, session_date, started_at, ended_at, duration_s, events, views, carts, checkouts, purchases, landing_url, "
    "referrer_domain, device_type_category, is_bot, is_bounce"
)
_FUNNEL = (
    "date, device_type_category, referrer_domain, sessions, viewed, carted, checked_out, purchased, bounced, "
    "conversion_rate"
)
_STARTUP = (
    "startup_id, valid_from, name, founded, country, stage, funding_stage_score, amount_raised, valuation, valuation_bucket, "
    "employees, contact, is_active, valid_to, is_current"
)
_SALE = (
    "sale_id, line, customer_id, product, quantity, unit_price, amount, discount, status, payment_method, city, country, "
    "sold_at, sale_date"
)
_BUYER = "customer_id, contact, city, country, first_sale_at, last_sale_at"
_METRICS = (
    "customer_id, orders, revenue, avg_order_value, first_sale_at, last_sale_at, days_since_last_sale, distinct_products, "
    "return_share, favourite_payment_method"
)


_ALL = (
    ("fct_click_features", _SESSION, 1),
    ("click_funnel_daily", _FUNNEL, 3),
    ("dim_startup", _STARTUP, 2),
    ("fct_sales", _SALE, 2),
    ("dim_buyer", _BUYER, 1),
    ("agg_customer_metrics", _METRICS, 1),
)


@dataclass
class Platform:
    """A landing folder, a collection of documents, a topic, and a lake of them."""

    landing: Landing
    documents: Any
    servers: str
    lake: TestLake
    differences: dict[int, list[str]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)  # of the last day

    def carry(self) -> tuple[list[str], dict[str, str]]:
        """Run all of the domain's tables, and ask the oracle; returns what differs, and what was noted of each table."""
        registry = loader.load(self.lake.folder)
        targets = [target.dotted for target in select(registry, domains=["platform"])]
        runs = self.lake.run(*targets)
        assert [f"{name}: {run.error}" for name, run in runs.items() if run.error] == []
        for run in runs.values():
            assert run.rows_read == run.merged + run.superseded + run.rejected or run.table.startswith("raw.")
        differences = [*self._sessions(), *self._funnel(), *self._startups(), *self._sales()]
        return differences, {name: "; ".join(run.notes) for name, run in runs.items()}

    def _sessions(self) -> list[str]:
        expected = oracle.sessions(self.landing.folder, self._messages())
        return _differences("session", self._rows("fct_click_features", _SESSION, 1), expected)

    def _funnel(self) -> list[str]:
        expected = oracle.funnel(self.landing.folder, self._messages())
        return _differences("funnel", self._rows("click_funnel_daily", _FUNNEL, 3), expected)

    def _messages(self) -> list[dict[str, Any]]:
        return [event for day in self.landing.days("clicks") for event in clicks.messages(day, SCALE)]

    def _startups(self) -> list[str]:
        key = self.lake.profile.key_of_pseudonyms()
        assert key is not None
        expected = oracle.startups(self.landing.folder, "EUR", key)
        return _differences("company", self._rows("dim_startup", _STARTUP, 2), expected)

    def _sales(self) -> list[str]:
        key = self.lake.profile.key_of_pseudonyms()
        assert key is not None
        found = sales_oracle.sales(self.documents.find(), key)
        return [
            *_differences("line", self._rows("fct_sales", _SALE, 2), sales_oracle.fct_sales(found)),
            *_differences("buyer", self._rows("dim_buyer", _BUYER, 1), sales_oracle.dim_buyer(found)),
            *_differences(
                "metrics", self._rows("agg_customer_metrics", _METRICS, 1), sales_oracle.agg_customer_metrics(found)
            ),
        ]

    def _rows(self, table: str, columns: str, key: int) -> dict[Any, tuple[Any, ...]]:
        """By the first ``key`` columns the others; moments are in UTC."""
        rows = self.lake.spark.sql(f"SELECT {columns} FROM iceberg.gold.{table}").toArrow().to_pylist()
        values = [tuple(row.values()) for row in rows]
        found = {row[0] if key == 1 else row[:key]: row[key:] for row in values}
        assert len(found) == len(values)
        return found


def _differences(what: str, found: Mapping[Any, Any], expected: Mapping[Any, Any]) -> list[str]:
    told = [f"{what} {key}: lacks {expected[key]}" for key in expected.keys() - found.keys()]
    told += [f"{what} {key}: should not be there" for key in found.keys() - expected.keys()]
    both = expected.keys() & found.keys()
    return told + [f"{what} {key}: {found[key]} for {expected[key]}" for key in both if found[key] != expected[key]]


@pytest.fixture(scope="module")
def platform(
    spark: SparkSession,
    profile: Profile,
    tmp_path_factory: pytest.TempPathFactory,
    documents_service: Documents,
    kafka_service: Kafka,
) -> Iterator[Platform]:
    """The first days are carried at once, the others when they are played; the last one into the lake as it was."""
    landing = Landing(tmp_path_factory.mktemp("landing"))
    lake = TestLake(ROOT / "registry", spark, profile)
    lake = lake.with_source("landing", Settings(type="files", root=str(landing.folder)))
    source = DocumentsSource(type="documents", hosts=(HOST,), port=documents_service.port, database="platform")
    lake = lake.with_source("app_documents", source)
    servers = kafka_service.bootstrap_servers
    lake = lake.with_source("app_kafka", KafkaSource(type="kafka", bootstrap_servers=(servers,)))
    with closing(documents_service.client()) as client:
        client.drop_database("platform")
        found = Platform(landing, client["platform"]["sales"], servers, lake)
        _drop(found)
        clicks.load(landing, SCALE)
        startups.load(landing, SCALE)
        sales.load(found.documents, SCALE)
        stream.send(servers, landing.days("clicks"), SCALE)
        found.differences[0], _ = found.carry()
        for day in range(1, DAYS + 1):
            clicks.play_day(landing, SCALE)
            startups.play_day(landing, SCALE)
            sales.play_day(found.documents, SCALE)
            stream.send(servers, landing.days("clicks")[-1:], SCALE)
            found.differences[day], found.notes = found.carry()
        yield found
        _drop(found)
        client.drop_database("platform")
    admin = kafka_service.admin()
    admin.delete_topics([stream.TOPIC])[stream.TOPIC].result()


def _drop(platform: Platform) -> None:
    for target in select(loader.load(platform.lake.folder), domains=["platform"]):
        platform.lake.spark.sql(f"DROP TABLE IF EXISTS {target} PURGE")
        platform.lake.spark.sql(f"DROP TABLE IF EXISTS iceberg.quarantine.{target.table} PURGE")


@pytest.mark.parametrize("day", range(DAYS + 1))
def test_each_gold_number_is_the_one_that_the_files_say(platform: Platform, day: int) -> None:
    assert platform.differences[day] == []


def test_a_day_costs_the_sessions_that_it_touches(platform: Platform) -> None:
    assert "visitor rebuilt" in platform.notes["gold.fct_click_features"]
    assert "date rebuilt" in platform.notes["gold.click_funnel_daily"]
    assert "startup_id rebuilt" in platform.notes["gold.dim_startup"]
    assert "sale_id rebuilt" in platform.notes["gold.fct_sales"]


def test_the_lines_that_were_broken_are_in_quarantine_with_file_and_line(platform: Platform) -> None:
    found = platform.lake.rows(
        "quarantine.clicks", "get_json_object(row, '$.source_file'), reason", "rule = 'broken_record'"
    )
    broken = {(file, "Latin" if "UTF-8" in reason else "JSON") for file, reason in found}
    assert {file.rpartition("/")[2] for file, _ in broken} >= {"part-1.jsonl.gz", "part-2.jsonl", "part-3.jsonl"}
    assert {kind for _, kind in broken} == {"Latin", "JSON"}
    assert any("event_type_known" in rule for (rule,) in platform.lake.rows("quarantine.clicks", "rule"))


def test_a_rebuild_into_an_empty_lake_holds_the_same(platform: Platform) -> None:
    before = {name: platform._rows(name, columns, key) for name, columns, key in _ALL}
    _drop(platform)
    differences, notes = platform.carry()
    assert differences == []
    assert notes["gold.fct_click_features"] == "rebuilt whole"
    assert {name: platform._rows(name, columns, key) for name, columns, key in _ALL} == before
