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
        '-- description: "Spending: by day and country."',
        "--grain: [day,  country]",
        "-- # a comment of the head",
        "-- partition_by: [months(day), 'bucket(4, country)']",
        "-- rebuild_by: [day, country]",
        "-- narrows:",
        "--   silver.orders:",
        "--     - to_date(coalesce(paid_at, least(placed_at, made_at)))",
        "--     - upper(country)",
        "--   gold.refunds: [day, \"concat(country, ',(')\"]",
        "-- columns:",
        "--   day: Of the order (UTC).",
        "--   country: >-",
        "--     Where it went,",
        "--     in capitals.",
        "--   money: Σ amount, a comma and -- dashes.",
        "SELECT 1 AS day FROM silver.orders JOIN gold.refunds USING (day)",
        "-- grian: later comments are only comments",
    )
    assert (found.table, found.description) == ("top", "Spending: by day and country.")
    assert (found.grain, found.rebuild_by) == (("day", "country"), ("day", "country"))
    assert found.partition_by == ("months(day)", "bucket(4, country)")
    assert found.narrows == {
        "silver__orders": ("to_date(coalesce(paid_at, least(placed_at, made_at)))", "upper(country)"),
        "gold__refunds": ("day", "concat(country, ',(')"),
    }
    assert found.columns == {
        "day": "Of the order (UTC).",
        "country": "Where it went, in capitals.",
        "money": "Σ amount, a comma and -- dashes.",
    }
    assert {name: read.dotted for name, read in found.reads.items()} == {
        "silver__orders": "silver.orders",
        "gold__refunds": "gold.refunds",
    }


def test_one_name_needs_no_brackets(folder: Path) -> None:
    head = ["-- grain: day", "-- rebuild_by: day", "-- narrows: {silver.orders: to_date(at)}"]
    found = load(folder, *head, "SELECT to_date(at) AS day FROM silver.orders")
    assert (found.grain, found.rebuild_by) == (("day",), ("day",))
    assert found.narrows == {"silver__orders": ("to_date(at)",)}


def test_a_file_needs_no_head(folder: Path) -> None:
    assert load(folder, "", "-- grain: day", "SELECT 1 AS day FROM silver.orders").grain == ()


@pytest.mark.parametrize(
    ("lines", "expected"),
    [(["-- description: x", "-- grian: day"], "top.sql:2: unknown key 'grian'. Did you mean 'grain'?"),
     (["-- column day: The day."], "top.sql:1: unknown key 'column day'. Did you mean 'columns'?"),
     (["-- zzz: 1"], "top.sql:1: unknown key 'zzz'. Known keys: columns, description, grain,"),
     (["-- columns:", "--   day: The day.", "--   n: 1"], "top.sql:3: columns.n: Input should be a valid string (found 1)."),
     (["-- grain: [day", "-- columns: {}"], "top.sql:2: not valid YAML: "),
     (["-- Spending by day."], "top.sql:1: found a str, expected a mapping (`key: value` lines). The comments that begin"),
     (["-- grain: day", "-- grain: day"], 'top.sql:2: found duplicate key "grain"'),
     (["-- columns: {day: The day.}", "-- grain: dya"], "top.sql:2: grain: 'dya' is not among `columns`. Did you mean 'day'?"),
     (["-- description: x", "-- reads: {}"], "top.sql:2: key 'reads' is found in the query, and is not said in the head."),
     (["-- table: other"], "top.sql:1: key 'table' is the file's name, and is not said in the head."),
     (["-- rebuild_by: day"], "rebuild_by goes with narrows or touched, which say what changed rows touch; found only one"),
     (["-- narrows: {silver.orders: day}"], "rebuild_by goes with narrows or touched"),
     (["-- grain: day", "-- rebuild_by: day", "-- narrows: {silver.users: day}"],
      "top.sql:3: narrows: 'silver.users' is not among what it reads. Did you mean 'silver.orders'?"),
     (["-- grain: day", "-- rebuild_by: [day, kind]", "-- narrows: {silver.orders: to_date(at)}"],
      "top.sql:3: narrows: silver.orders has 1 expressions; expected one for each of rebuild_by (day, kind)."),
     (["-- rebuild_by: day", "-- narrows: {silver.orders: day}"],
      "rebuild_by (day) is no partition column, so rows are merged, and that needs a grain"),
     (["-- partition_by: [weeks(day), kind]"],
      "top.sql:1: partition_by: 'weeks(day)' is not a partition field; expected a column,"),
     (["-- narrows: silver.orders(day)"], "top.sql:1: narrows: Input should be a valid dictionary")],
)  # fmt: skip
def test_a_mistake_in_the_head_is_named_with_its_line(folder: Path, lines: list[str], expected: str) -> None:
    message = refused(folder, *lines, "SELECT day FROM silver.orders")
    assert str(folder / "top.sql") in message
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


def test_a_file_that_is_no_text_in_utf_8_is_refused(folder: Path) -> None:
    (folder / "top.sql").write_bytes(b"SELECT '\xe9' FROM silver.orders")
    with pytest.raises(ConfigurationError, match=r"top\.sql: 'utf-8' codec .*; expected a text in UTF-8"):
        sql_transformers.load(folder / "top.sql")


def test_a_query_that_reads_no_table_is_a_transformer_too(tmp_path: Path, spark: SparkSession) -> None:
    path = tmp_path / "calendar.sql"
    path.write_text("SELECT explode(sequence(DATE'2026-01-01', DATE'2026-01-02')) AS day")
    found = sql_transformers.load(path)
    assert (dict(found.reads), found.function().count()) == ({}, 2)
