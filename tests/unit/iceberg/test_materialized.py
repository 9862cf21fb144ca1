"""Rows that several queries read are computed once, however many they are."""

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lakehouse.iceberg import materialized as module
from lakehouse.iceberg.materialized import materialized


@pytest.fixture
def rows(spark: SparkSession) -> DataFrame:
    """Three rows that are others each time they are computed."""
    return spark.range(3).selectExpr(
        "id",
        "named_struct('a', uuid(), 'b', array(id)) AS nested",
        "timestamp_micros(id) AS at",
        "CAST(timestamp_micros(id) AS timestamp_ntz) AS local",
        "CAST(id AS decimal(9, 2)) AS price",
    )


@pytest.mark.parametrize("few", [100, 2], ids=["few", "many"])
@pytest.mark.parametrize("at_most", [None, 3])
def test_rows_are_the_same_each_time(
    rows: DataFrame, few: int, at_most: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_FEW", few)
    with materialized(rows, at_most) as found:
        assert found.schema.simpleString() == rows.schema.simpleString()
        assert sorted(found.collect()) == sorted(found.where(F.col("id") >= 0).collect())
        assert found.count() == 3
    assert not rows.is_cached
