"""Names and values in Spark SQL: what is written is read back as it was."""

from datetime import date, datetime
from typing import Any

import pytest
from pyspark.sql import SparkSession

from lakehouse.quoting.spark import have_literals, literal, quote

AWKWARD = ["it's", 'say "so"', "a\\b", "`", "; DROP TABLE x --", "${x}", "line\nbreak", "Żółć"]


@pytest.mark.parametrize("value", [*AWKWARD, "", 0, -1, 2**40, date(1, 1, 1), date(9999, 12, 31)])
def test_a_literal_is_read_back_as_it_was(spark: SparkSession, value: Any) -> None:
    assert spark.sql(f"SELECT {literal(value)} AS v").collect() == [(value,)]


@pytest.mark.parametrize("name", [name for name in AWKWARD if "$" not in name])
def test_a_quoted_name_is_one_name(spark: SparkSession, name: str) -> None:
    assert spark.sql(f"SELECT 1 AS {quote(name)}").columns == [name]


@pytest.mark.parametrize("value", [True, 1.5, None, datetime(2026, 1, 1)])  # noqa: DTZ001
def test_what_has_no_literal_is_refused(value: Any) -> None:
    assert not have_literals([1, value])
    with pytest.raises(TypeError, match="expected an int, a str or a date"):
        literal(value)
