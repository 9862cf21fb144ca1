"""What the unit tests' Spark does without: it is one with the other tests', which have it."""

from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

_ADAPTIVE = "spark.sql.adaptive.enabled"


@pytest.fixture(scope="module")
def spark(spark: SparkSession) -> Iterator[SparkSession]:
    """Without adaptive execution: planning again after each stage is a fifth of the time of queries over three rows."""
    spark.conf.set(_ADAPTIVE, "false")
    yield spark
    spark.conf.unset(_ADAPTIVE)
