"""Transformers that are a file of SQL: what its head says, what it reads, and which mistakes are named."""

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from lakehouse.errors import ConfigurationError
from lakehouse.registry import sql_transformers
from lakehouse.registry.transformers import Transformer
from lakehouse.testing import local_frame


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def load(folder: Path, *lines: str) -> Transformer:
    (folder / "top.sql").write_text("\n".join(lines) + "\n")
    return sql_transformers.load(folder / "top.sql")


def refused(folder: Path, *lines: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load(folder, *lines)
    return str(caught.value)


def test_the_head_says_what_a_decorator_would(folder: Path) -> None:
    found = load(
        folder,
        "-- description: Spending: by day and country.",
        "--grain:day,  country",
        "-- partition_by: months(day), bucket(4,country)",
        "-- rebuild_by: day, country",
        "-- narrows: silver.orders(to_date(coalesce(paid_at, least(placed_at, made_at))), upper(country)),"
        " gold.refunds(day, concat(country, ',('))",
        "-- column day: Day: of the order (UTC).",
        "-- column money: Σ amount, a comma and -- dashes.",
        "-- columns may be explained, like this, without being declared.",
        "SELECT 1 AS day FROM silver.orders JOIN gold.refunds USING (day)",
    )
    assert (found.table, found.description) == ("top", "Spending: by day and country.")
    assert (found.grain, found.rebuild_by) == (("day", "country"), ("day", "country"))
    assert found.narrows == {
        "silver__orders": ("to_date(coalesce(paid_at, least(placed_at, made_at)))", "upper(country)"),
        "gold__refunds": ("day", "concat(country, ',(')"),
    }
    assert found.columns == {"day": "Day: of the order (UTC).", "money": "Σ amount, a comma and -- dashes."}
    assert {name: read.dotted for name, read in found.reads.items()} == {
        "silver__orders": "silver.orders",
        "gold__refunds": "gold.refunds",
    }


def test_partition_fields_with_a_size_stay_whole(folder: Path) -> None:
    found = load(folder, "-- partition_by: months(day), bucket(4, country), kind", "SELECT 1 FROM silver.orders")
    assert found.partition_by == ("months(day)", "bucket(4, country)", "kind")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [(["-- rebuild_by: day"], "rebuild_by goes with narrows or touched, which say what changed rows touch; found only one"),
     (["-- narrows: silver.orders(day)"], "rebuild_by goes with narrows or touched"),
     (["-- grain: day", "-- rebuild_by: day", "-- narrows: silver.users(day)"],
      "narrows or touched name silver__users, which it does not read"),
     (["-- grain: day", "-- rebuild_by: day, kind", "-- narrows: silver.orders(to_date(at))"],
      "narrows of silver__orders has 1 expressions; expected one for each of rebuild_by (day, kind)"),
     (["-- rebuild_by: day", "-- narrows: silver.orders(day)"],
      "rebuild_by ('day',) is no partition column, so rows are merged, and that needs a grain"),
     (["-- partition_by: weeks(day), kind"], "partition_by: 'weeks(day)' is not a partition field; expected a column,"),
     (["-- narrows: orders(day)"], "narrows is 'orders(day)'; expected `layer.table(expression)`"),
     (["-- narrows: silver.orders(day"], "narrows is 'silver.orders(day'; expected `layer.table(expression)`")],
)  # fmt: skip
def test_a_head_that_contradicts_itself_is_refused(folder: Path, lines: list[str], expected: str) -> None:
    message = refused(folder, *lines, "SELECT day FROM silver.orders")
    assert "top.sql" in message
    assert expected in message


@pytest.mark.parametrize(
    ("sql", "expected"),
    [("SELECT 1 FROM orders", "it reads 'orders'; expected a table of silver or gold"),
     ("SELECT 1 FROM raw.orders", "it reads 'raw.orders'; expected a table of silver or gold"),
     ("SELECT 1 FROM iceberg.silver.orders", "it reads 'iceberg.silver.orders'; expected a table of silver or gold"),
     ("SELECT (SELECT max(a) FROM ops.runs) FROM silver.orders", "it reads 'ops.runs'"),
     ("SELECT 1 FROM silver.a; SELECT 2 FROM silver.a", "found 2 statement(s); expected exactly one SELECT"),
     ("DELETE FROM silver.orders", "expected exactly one SELECT"),
     ("", "found 0 statement(s); expected exactly one SELECT"),
     ("SELECT FROM WHERE", "top.sql:1: not valid Spark SQL")],
)  # fmt: skip
def test_what_is_not_one_select_of_silver_and_gold_is_refused(folder: Path, sql: str, expected: str) -> None:
    assert expected in refused(folder, sql)


def test_a_table_read_twice_a_common_table_of_its_name_and_a_parameter_work(folder: Path, spark: SparkSession) -> None:
    found = load(
        folder,
        "WITH orders AS (SELECT id, above FROM silver.orders WHERE kind = :kind)",
        "SELECT below.id, above.id AS above FROM orders AS below JOIN silver.orders above ON above.id = below.above",
    )
    assert (set(found.reads), found.parameters) == ({"silver__orders"}, ("kind",))
    rows = local_frame(spark, [(1, None, "a"), (2, 1, "a"), (3, 1, "b")], "id int, above int, kind string")
    assert [tuple(row) for row in found.function(silver__orders=rows, kind="a").collect()] == [(2, 1)]
