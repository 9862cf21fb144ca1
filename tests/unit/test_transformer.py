"""The key of a dimension's row: alike in every run, apart for different natural keys, and one for what is not known."""

from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from lakehouse.testing import local_frame
from lakehouse.transformer import UNKNOWN_KEY, surrogate_key

SCHEMA = "a string, b int"


def keys(spark: SparkSession, *rows: tuple[Any, ...]) -> list[int]:
    return [row[0] for row in local_frame(spark, list(rows), SCHEMA).select(surrogate_key("a", "b")).collect()]


def test_a_natural_key_has_one_key_and_another_one_another(spark: SparkSession) -> None:
    found = keys(spark, ("x", 1), ("x", 2), ("y", 1), ("1", 1), ("x", 1))
    assert found[0] == found[4]
    assert len(set(found)) == 4
    assert UNKNOWN_KEY not in found


def test_a_part_that_is_not_known_makes_the_key_of_what_is_not_known(spark: SparkSession) -> None:
    assert keys(spark, (None, 1), ("x", None), (None, None)) == [UNKNOWN_KEY] * 3


def test_neither_the_type_of_a_natural_key_nor_its_name_changes_its_key(spark: SparkSession) -> None:
    frame = local_frame(spark, [("7", 7)], SCHEMA)
    row = frame.select(surrogate_key("a"), surrogate_key("b"), surrogate_key(F.col("b").cast("bigint"))).first()
    assert row is not None
    assert len(set(row)) == 1
    assert dict(frame.select(surrogate_key("a", "b").alias("k")).dtypes) == {"k": "bigint"}
