"""What rows are looked for by is what Spark makes of the same expression."""

from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from lakehouse.iceberg.terms import Term, columns_of
from lakehouse.testing import local_frame

MOMENTS = pa.timestamp("us", tz="UTC")
SCHEMA = pa.schema([("id", pa.int64()), ("day", pa.date32()), ("at", MOMENTS), ("name", pa.string())])
SPANS = ["week", "MONTH", "mm", "mon", "quarter", "year", "yyyy", "yy"]
EXPRESSIONS = ["to_date(at)", "to_date(day)", *(f"trunc({name}, '{span}')" for name in ("at", "day") for span in SPANS)]


def parsed(expression: str) -> Term:
    found = Term.parsed(expression, SCHEMA)
    assert found is not None
    return found


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_days_are_cut_as_spark_cuts_them(spark: SparkSession, expression: str) -> None:
    days = [date(1899, 12, 31), date(1969, 12, 29), date(2024, 2, 29), date(2024, 12, 30), date(2026, 11, 26), None]
    times = [None if day is None else datetime(day.year, day.month, day.day, 23, 59, 59, 999_999, UTC) for day in days]
    rows = local_frame(
        spark, list(zip(range(len(days)), days, times, strict=True)), "id bigint, day date, at timestamp"
    )
    expected = [row[0] for row in rows.orderBy("id").selectExpr(expression).collect()]
    term = parsed(expression)
    assert term.kind(SCHEMA) == pa.date32()
    given_values = pa.array(times if term.column == "at" else days, SCHEMA.field(term.column).type)
    assert term.of(given_values).to_pylist() == expected


@given(st.datetimes(timezones=st.just(UTC)).filter(lambda moment: moment.year >= 1900), st.sampled_from(EXPRESSIONS))
def test_what_is_cut_to_a_day_lies_within_what_is_told_for_it(moment: datetime, expression: str) -> None:
    term = parsed(expression)
    kind = SCHEMA.field(term.column).type
    value: Any = moment if term.column == "at" else moment.date()
    cut = term.of(pa.array([value], kind))[0].as_py()
    low, high = term.within(cut, cut, kind)
    assert low <= value <= high


@pytest.mark.parametrize("expression", ["lower(name)", "missing", "to_date(name)", "to_date(missing)",
                                        "trunc(at, 'day')", "trunc(id, 'month')", "at + 1", "to_date(at, 'yyyy')"])  # fmt: skip
def test_any_other_expression_is_left_to_spark(expression: str) -> None:
    assert Term.parsed(expression, SCHEMA) is None


def test_a_column_is_itself(spark: SparkSession) -> None:
    term = parsed(" `name` ")
    assert (term, term.kind(SCHEMA), term.within("a", "b", pa.string())) == (Term("name"), pa.string(), ("a", "b"))
    assert term.of(pa.array(["b", None])).to_pylist() == ["b", None]
    assert columns_of([term, parsed("to_date(at)"), parsed("trunc(at, 'mm')")], SCHEMA).names == ["name", "at"]
