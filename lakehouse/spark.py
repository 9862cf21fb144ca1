"""The Spark of a job: the JVM that it runs in, and its sessions."""

import operator
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache, reduce
from typing import Any, cast

import pyarrow as pa
from pyspark import SparkContext
from pyspark.logger import PySparkLogger
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from lakehouse.errors import SystemFailureError
from lakehouse.java import remember
from lakehouse.paths import engine_column
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
#: Bytes in Arrow up to which rows of the driver are a part of the plan. Of more, the optimizer would compute what it can
#: itself, row by row and without compiled code, and each task would be sent its rows as Java objects.
_IN_THE_PLAN = 2 * 2**20
#: Of rows that come to Spark as Arrow each batch is a task, and most of its time what goes before and after it.
_ROWS_OF_THE_DRIVER = {
    "spark.sql.execution.arrow.maxRecordsPerBatch": "131072",
    "spark.sql.execution.arrow.localRelationThreshold": str(_IN_THE_PLAN),
}


def session(profile: Profile, application: str, builder: SparkSession.Builder | None = None) -> SparkSession:
    """A session whose catalog is the profile's. The master is what ``spark-submit``, or ``builder``, was given."""
    builder = (builder or SparkSession.builder).appName(application)
    for key, value in (profile.spark_conf() | _MEANING | _ROWS_OF_THE_DRIVER).items():
        builder = builder.config(key, value)
    found = builder.config("spark.sql.redaction.string.regex", _HIDDEN_LITERALS).getOrCreate()
    remember(found._jvm)
    _quieten(found._jvm)
    return found


def _quieten(jvm: Any) -> None:
    """Leave out warnings that ask nothing of anybody, and what would quote rows.

    Executors on other machines write logs of their own, which this does not reach.
    """
    log4j = jvm.org.apache.logging.log4j
    for name in _CHATTY:
        log4j.core.config.Configurator.setLevel(name, log4j.Level.ERROR)
    for name in _TELL_FAILURES:
        log4j.core.config.Configurator.setLevel(name, log4j.Level.OFF)
    for name in _TELL_ERRORS:
        PySparkLogger.getLogger(name).disabled = True


class Sessions:
    """The sessions of an application's Spark, which starts when one is first asked for, or expected.

    Args:
        start: starts Spark; called once, by a thread of its own.
        is_local: whether the driver will also be the only executor.

    Attributes:
        idle: sessions that the next table's work may go on with.
    """

    def __init__(self, start: Callable[[], SparkSession], *, is_local: bool) -> None:
        self.is_local = is_local
        self.idle: deque[SparkSession] = deque()
        self._start = start
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="spark")
        self._lock = threading.Lock()
        self._started: Future[SparkSession] | None = None

    @classmethod
    def of(cls, session: SparkSession) -> "Sessions":
        """Those of a Spark that runs."""
        return cls(lambda: session, is_local=_is_local(str(session.sparkContext.master)))

    @classmethod
    def of_profile(cls, java: Any, profile: Profile, application: str) -> "Sessions":
        """Those of the application that ``spark-submit`` started, in its JVM."""
        master = java.org.apache.spark.SparkConf().get("spark.master", "")
        return cls(lambda: session(profile, application), is_local=_is_local(str(master)))

    def expect(self) -> None:
        """Let Spark start, since it will be asked for; does not wait."""
        self._starting()

    def first(self) -> SparkSession:
        """The session that Spark started with; waits for it.

        Raises:
            SystemFailureError: it did not start; :attr:`failure` says why.
        """
        starting = self._starting()
        if (cause := starting.exception()) is not None:
            raise SystemFailureError("Spark did not start; the error of the run says why.") from cause
        return starting.result()

    @property
    def failure(self) -> BaseException | None:
        """What kept Spark from starting; ``None`` where nothing did so far."""
        return self._started.exception() if self._started is not None and self._started.done() else None

    def _starting(self) -> Future[SparkSession]:
        with self._lock:
            if self._started is None:
                self._started = self._thread.submit(self._start)
            return self._started


def jvm() -> Any:
    """The JVM of this application: ``spark-submit`` has started it, whether or not a session is in it yet."""
    SparkContext._ensure_initialized()
    found: Any = SparkContext._jvm
    remember(found)
    log4j = found.org.apache.logging.log4j
    level = found.org.apache.spark.SparkConf().get("spark.log.level", "WARN")  # which a session would set
    log4j.core.config.Configurator.setRootLevel(log4j.Level.toLevel(level))
    _quieten(found)
    return found


def _is_local(master: str) -> bool:
    return master.startswith("local") and "cluster" not in master


def make_active(spark: SparkSession) -> None:
    """Make ``spark`` what :meth:`SparkSession.active` gives in this thread."""
    cast(Any, spark._jvm).SparkSession.setActiveSession(spark._jsparkSession)


#: Bytes in Arrow up to which rows of the driver are one partition.
_TOGETHER = 8 * 2**20


def rows_to_frame(session: SparkSession, rows: pa.Table, schema: StructType | str | None = None) -> DataFrame:
    """Rows of the driver as a frame: the one way in which Arrow comes to Spark.

    Spark reads record batches up to the first one without a row, and loses those behind it. So none is given to it.

    Args:
        schema: its columns, also as DDL; absent, those that Spark makes of Arrow's.
    """
    batches = [batch for batch in rows.combine_chunks().to_batches() if batch.num_rows]
    nothing = pa.RecordBatch.from_arrays([pa.array([], kind) for kind in rows.schema.types], schema=rows.schema)
    given = pa.Table.from_batches(batches or [nothing])
    frame = session.createDataFrame(given) if schema is None else session.createDataFrame(given, schema)
    leaf: Any = frame._jdf.queryExecution().analyzed().collectLeaves().apply(0) if given.nbytes > _IN_THE_PLAN else None
    if leaf is not None and _is_rdd(leaf):
        leaf.rdd().setName(f"{_HELD}{given.nbytes}")
    return frame


def frame_of(session: SparkSession, rows: pa.Table) -> DataFrame:
    """Rows of the driver as a frame; few of them as one partition, so that they are joined and grouped without a shuffle."""
    frame = rows_to_frame(session, rows)
    return frame.coalesce(1) if rows.nbytes <= _TOGETHER else frame


#: Bytes of data files up to which a query is planned for little data, and for some. A row takes some twenty bytes.
_LITTLE, _SOME = 2**20, 32 * 2**20
#: What planning for much data costs more than it saves where there is some: a plan that is adapted while it runs, by jobs of
#: their own for its steps; tasks that share few rows; rows that are kept for two queries, compressed.
_FOR_SOME = {
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.inMemoryColumnarStorage.compressed": "false",
}
#: Where there is little: code that is made, compiled and called for a few rows; a job for each table that is sent to all tasks.
_FOR_LITTLE = _FOR_SOME | {
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.leafNodeDefaultParallelism": "1",
    "spark.sql.autoBroadcastJoinThreshold": "-1",
    "spark.sql.optimizer.disableHints": "true",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.subexpressionElimination.enabled": "false",
}


@cache
def _defaults(context: SparkContext) -> Mapping[str, str]:
    """The application's own settings of :data:`_FOR_LITTLE`. To ask for them is to bring all settings to Python."""
    conf = context.getConf()
    return {key: value for key in _FOR_LITTLE if (value := conf.get(key)) is not None}


def plan(session: SparkSession, size: int) -> bool:
    """Let ``session``, which no other table's work uses, plan for queries that read ``size`` bytes of data files.

    Returns:
        Whether that is little.
    """
    chosen = _FOR_LITTLE if size <= _LITTLE else _FOR_SOME if size <= _SOME else {}
    application = _defaults(session.sparkContext)
    for key in _FOR_LITTLE:
        value = chosen.get(key, application.get(key))
        if value is None:
            session.conf.unset(key)
        else:  # what is unset is Spark's own again, not the application's
            session.conf.set(key, value)
    return size <= _LITTLE


def semi_join(rows: DataFrame, keys: DataFrame, expressions: Sequence[str], *, null_is_a_value: bool) -> DataFrame:
    """The ``rows`` in which ``expressions``, one for each column of ``keys``, are one of the keys, which all tasks are sent."""
    there = [engine_column(f"key_{number}") for number in range(len(expressions))]
    same = Column.eqNullSafe if null_is_a_value else Column.__eq__
    pairs = zip(expressions, there, strict=True)
    condition = reduce(operator.and_, (same(F.expr(here), F.col(name)) for here, name in pairs))
    return rows.join(F.broadcast(keys.toDF(*there)), condition, how="left_semi")


#: Rows take about so many times the bytes in memory that they take in a data file.
_MEMORY_TO_FILE = 5
#: What counts as much.
_UNTOLD = 2**62


def bytes_read(frame: DataFrame) -> int:
    """About how many bytes of data files a query of ``frame`` reads, whatever it leaves unread by a condition.

    Rows that the driver holds count as what they would take in data files; what nobody can tell counts as much.
    """
    leaves: Any = frame._jdf.queryExecution().analyzed().collectLeaves()
    return sum(_bytes_of(leaves.apply(number)) for number in range(leaves.size()))


#: The name of rows of the driver that are no part of the plan; how many bytes they have follows.
_HELD = "rows of the driver, bytes in Arrow: "


def _is_rdd(leaf: Any) -> bool:
    return str(leaf.getClass().getSimpleName()) == "LogicalRDD"


def _bytes_of(leaf: Any) -> int:
    if _is_rdd(leaf) and str(leaf.rdd().name()).startswith(_HELD):
        return int(str(leaf.rdd().name()).removeprefix(_HELD)) // _MEMORY_TO_FILE
    if leaf.getClass().getSimpleName() != "DataSourceV2Relation":
        return int(leaf.stats().sizeInBytes()) // _MEMORY_TO_FILE
    if leaf.table().getClass().getSimpleName() != "SparkTable":  # but what changed in one, or its metadata
        return _UNTOLD
    snapshot = leaf.table().table().currentSnapshot()
    return 0 if snapshot is None else int(snapshot.summary().get("total-files-size") or 0)
