from pyspark.errors import PySparkException

from lakehouse.errors import ExitCode, SystemFailureError
from lakehouse.iceberg.spark_errors import BrokenRowError, translated

BROKEN = """Job aborted. Caused by: org.apache.spark.SparkNumberFormatException: [CAST_INVALID_INPUT] The value 'canary' of
 the type "STRING" cannot be cast to "INT". SQLSTATE: 22018
== SQL (line 1, position 8) ==
SELECT CAST(name AS INT) AS n FROM t
       ^^^^^^^^^^^^^^^^^
"""


def test_a_row_that_is_refused_is_the_datas_fault_and_is_not_quoted() -> None:
    error = translated(PySparkException(BROKEN), "merging into gold.a")
    assert isinstance(error, BrokenRowError)
    assert error.exit_code is ExitCode.DATA_FAILURE
    assert str(error) == (
        "merging into gold.a failed: a row holds a value that is refused: CAST_INVALID_INPUT (SQLSTATE 22018) in "
        "`CAST(name AS INT)`; expected that each value passes. The value is not shown, since it may be personal. The "
        "table is as it was. Use `try_cast` or another function of `try_…` in the transformer, or reject such rows by a "
        "check in the registry file of the source table."
    )


def test_anything_else_is_the_systems_and_says_what_spark_said() -> None:
    error = translated(PySparkException("[TABLE_OR_VIEW_NOT_FOUND] The table `a` is\n not there. SQLSTATE: 42P01"), "x")
    assert type(error) is SystemFailureError
    assert str(error) == "x: Spark failed: [TABLE_OR_VIEW_NOT_FOUND] The table `a` is not there. SQLSTATE: 42P01"
