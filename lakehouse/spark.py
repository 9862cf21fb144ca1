"""The Spark session of a job."""

from typing import Any, cast

from pyspark.logger import PySparkLogger
from pyspark.sql import SparkSession

from lakehouse.settings import Profile

#: HMAC pads are literals of exactly 64 bytes: no plan, explain or error shows one.
_HIDDEN_LITERALS = r"(?:0x|X')[0-9A-Fa-f]{128}'?"

_CHATTY = (
    "org.apache.spark.sql.execution.datasources.v2.DataSourceV2Strategy",  # that `true` is no filter
    "org.apache.spark.sql.catalyst.util.SparkStringUtils",  # that a plan is too long to be shown whole
)

#: They print a task's failure, and so the value of the row that broke it. The error itself comes to the driver.
_TELL_FAILURES = (
    "org.apache.spark.executor.Executor",
    "org.apache.spark.scheduler.TaskSetManager",
    "org.apache.spark.scheduler.DAGScheduler",
    "org.apache.spark.scheduler.TaskResultGetter",
    "org.apache.spark.sql.execution.adaptive",
    "org.apache.spark.sql.execution.datasources",
    "org.apache.spark.sql.execution.exchange",
    "org.apache.spark.storage.BlockManager",
    "org.apache.spark.util.Utils",
    "org.apache.spark.util.SparkUncaughtExceptionHandler",
    "org.apache.spark.ContextCleaner",
    "org.apache.iceberg.spark.source",
)

#: Of the driver's Python: they print each error that quotes the code of a query.
_TELL_ERRORS = ("SQLQueryContextLogger", "DataFrameQueryContextLogger")

#: Of what days, casts and overflows mean: not to be left to a cluster's own configuration.
_MEANING = {"spark.sql.session.timeZone": "UTC", "spark.sql.ansi.enabled": "true"}


def session(profile: Profile, application: str, builder: SparkSession.Builder | None = None) -> SparkSession:
    """A session whose catalog is the profile's. The master is what ``spark-submit``, or ``builder``, was given."""
    builder = (builder or SparkSession.builder).appName(application)
    for key, value in (profile.spark_conf() | _MEANING).items():
        builder = builder.config(key, value)
    found = builder.config("spark.sql.redaction.string.regex", _HIDDEN_LITERALS).getOrCreate()
    _quieten(found)
    return found


def _quieten(spark: SparkSession) -> None:
    """Leave out warnings that ask nothing of anybody, and what would quote rows.

    Executors on other machines write logs of their own, which this does not reach.
    """
    log4j = cast(Any, spark._jvm).org.apache.logging.log4j
    for name in _CHATTY:
        log4j.core.config.Configurator.setLevel(name, log4j.Level.ERROR)
    for name in _TELL_FAILURES:
        log4j.core.config.Configurator.setLevel(name, log4j.Level.OFF)
    for name in _TELL_ERRORS:
        PySparkLogger.getLogger(name).disabled = True


def is_local(spark: SparkSession) -> bool:
    """Whether the driver is also the only executor."""
    return str(spark.sparkContext.master).startswith("local") and "cluster" not in str(spark.sparkContext.master)


def make_active(spark: SparkSession) -> None:
    """Make ``spark`` what :meth:`SparkSession.active` gives in this thread."""
    cast(Any, spark._jvm).SparkSession.setActiveSession(spark._jsparkSession)
