"""What a batch of raw rows means for silver: rows in, outcomes out."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from lakehouse.paths import quote
from lakehouse.registry.tables import SourceTable
from lakehouse.silver.contract import FAILURES, check, conform, shape
from lakehouse.silver.decide import CONTENT, NEWEST, OUTCOME, content_of, decide
from lakehouse.silver.decide_here import decide_here
from lakehouse.testing import local_frame

BASE = datetime(2026, 1, 1, tzinfo=UTC)
RAW = "id int, name string, amount string, at timestamp, _run_id string, _ingested_at timestamp, _op string, _misfits string"


def table(**options: Any) -> SourceTable:
    return SourceTable.model_validate(
        {"table": "t", "domain": "d", "source": {"connection": "c", "relation": "r"}, "key": ["id"], **options}
    )


def raw(
    key: int | None, name: str | None = "n", amount: str | None = "1", load: int = 1, **more: Any
) -> tuple[Any, ...]:
    at = more.get("at", BASE)
    return (
        key,
        name,
        amount,
        at,
        f"run{load}",
        BASE + timedelta(minutes=load),
        more.get("op", "upsert"),
        more.get("misfits"),
    )


def outcomes(
    spark: SparkSession, contract: SourceTable, rows: list[tuple[Any, ...]], cursor: str | None = None
) -> list[Any]:
    """The outcomes, on which Spark and the driver must agree."""
    frame = local_frame(spark, rows, RAW)
    silver = shape(contract, dict(frame.dtypes), ("id",))
    checked = check(conform(frame, contract, silver), contract)
    decided = decide(checked, ("id",), cursor)
    shown = [quote(name) for name in ("id", "name", OUTCOME, NEWEST)]
    found = decided.select(*shown, f"{FAILURES}.rule", f"{FAILURES}.reason").collect()
    by_spark = sorted(map(tuple, found), key=str)
    content = content_of(checked).alias(CONTENT)
    here = checked.select("id", "name", "at", "_ingested_at", "_op", quote(FAILURES), content).toArrow()
    by_driver = decide_here(here, ("id",), cursor)
    columns = [here.column("id"), here.column("name"), by_driver.outcome, by_driver.newest, by_driver.failures]
    told = [
        (*row, [item["rule"] for item in broken], [item["reason"] for item in broken])
        for *row, broken in zip(*(column.to_pylist() for column in columns), strict=True)
    ]
    assert sorted(told, key=str) == by_spark
    return [(row[0], row[1], row[2], *row[4:]) for row in by_spark]


def test_the_newest_load_of_a_key_counts_and_older_ones_are_superseded(spark: SparkSession) -> None:
    rows = [raw(1, "old", load=1), raw(1, "new", load=2), raw(2, "only")]
    found = outcomes(spark, table(), rows)
    assert [(r[0], r[1], r[2]) for r in found] == [
        (1, "new", "merged"),
        (1, "old", "superseded"),
        (2, "only", "merged"),
    ]


def test_a_tombstone_deletes_and_a_later_row_brings_the_key_back(spark: SparkSession) -> None:
    gone = outcomes(spark, table(), [raw(1, load=1), raw(1, None, None, load=2, op="delete")])
    back = outcomes(spark, table(), [raw(1, None, None, load=2, op="delete"), raw(1, "back", load=3)])
    assert {row[2] for row in gone} == {"superseded", "deleted"}
    assert (1, "back", "merged") in [row[:3] for row in back]


def test_two_rows_of_a_key_read_together_that_differ_are_not_chosen_between_silently(spark: SparkSession) -> None:
    found = outcomes(spark, table(), [raw(1, "a"), raw(1, "b")])
    assert sorted(row[2] for row in found) == ["merged", "rejected"]
    assert ["duplicate_key"] in [row[3] for row in found]


def test_alike_rows_of_a_key_are_superseded(spark: SparkSession) -> None:
    assert sorted(row[2] for row in outcomes(spark, table(), [raw(1), raw(1)])) == ["merged", "superseded"]


def test_the_cursor_orders_rows_of_a_key_that_were_read_together(spark: SparkSession) -> None:
    rows = [raw(1, "late", at=BASE + timedelta(days=1)), raw(1, "early")]
    found = outcomes(spark, table(cursor="at"), rows, "at")
    assert [(r[1], r[2]) for r in found] == [("early", "superseded"), ("late", "merged")]


def test_a_row_without_its_key_is_rejected_with_its_reason(spark: SparkSession) -> None:
    assert outcomes(spark, table(), [raw(None)])[0][2:] == ("rejected", ["missing_id"], ["id: a value is required"])


def test_a_decimal_that_would_lose_digits_is_rejected(spark: SparkSession) -> None:
    contract = table(columns={"amount": "decimal(8,2)"})
    found = outcomes(spark, contract, [raw(1, amount="1.005"), raw(2, amount="1.50"), raw(3, amount="9999999")])
    assert [(row[0], row[2]) for row in found] == [(1, "rejected"), (2, "merged"), (3, "rejected")]


def test_all_rules_that_a_row_breaks_are_named(spark: SparkSession) -> None:
    contract = table(columns={"amount": "int"}, checks=[{"name": "named", "expect": "name <> 'n'"}])
    assert outcomes(spark, contract, [raw(1, amount="x")])[0][3] == ["type_amount", "named"]


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(1, 3), st.sampled_from("ab"), st.sampled_from(["1", "x"]), st.integers(1, 3),
                          st.sampled_from(["upsert", "upsert", "delete"])), max_size=12))  # fmt: skip
def test_the_books_balance_and_each_key_has_one_row_that_counts(spark: SparkSession, rows: list[Any]) -> None:
    contract = table(columns={"amount": "int"})
    found = outcomes(spark, contract, [raw(i, n, a, load, op=op) for i, n, a, load, op in rows])
    assert len(found) == len(rows)
    counted = [row[0] for row in found if row[2] in {"merged", "deleted"}]
    assert len(counted) == len(set(counted))
    assert {row[2] for row in found} <= {"merged", "superseded", "rejected", "deleted"}
