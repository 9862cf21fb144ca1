"""The Spark session of a job."""

from typing import Any, cast

from pyspark.sql import SparkSession

from lakehouse.settings import Profile

#: HMAC pads are literals of exactly 64 bytes: no plan, explain or error shows one.
_HIDDEN_LITERALS = r"(?:0x|X')[0-9A-Fa-f]{128}'?"

_CHATTY = (
    "org.apache.spark.sql.execution.datasources.v2.DataSourceV2Strategy",  # that `true` is no filter
    "org.apache.spark.sql.catalyst.util.SparkStringUtils",  # that a plan is too long to be shown whole
)


def session(profile: Profile, application: str, builder: SparkSession.Builder | None = None) -> SparkSession:
    """A session whose catalog is the profile's. The master is what ``spark-submit``, or ``builder``, was given."""
    builder = (builder or SparkSession.builder).appName(application)
    for key, value in profile.spark_conf().items():
        builder = builder.config(key, value)
    found = builder.config("spark.sql.redaction.string.regex", _HIDDEN_LITERALS).getOrCreate()
    _quieten(found)
    return found


def _quieten(spark: SparkSession) -> None:
    """Leave out warnings that ask nothing of anybody."""
    logging = cast(Any, spark._jvm).org.apache.logging.log4j
    for name in _CHATTY:
        logging.core.config.Configurator.setLevel(name, logging.Level.ERROR)


def is_local(spark: SparkSession) -> bool:
    """Whether the driver is also the only executor."""
    return str(spark.sparkContext.master).startswith("local") and "cluster" not in str(spark.sparkContext.master)


def make_active(spark: SparkSession) -> None:
    """Make ``spark`` what :meth:`SparkSession.active` gives in this thread."""
    cast(Any, spark._jvm).SparkSession.setActiveSession(spark._jsparkSession)
