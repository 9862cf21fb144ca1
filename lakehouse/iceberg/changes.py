"""Which rows of a table changed between two of its snapshots."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from lakehouse.iceberg.table import IcebergTable
from lakehouse.paths import engine_column, quote
from lakehouse.spark import frame_of

#: So many changed rows are kept on the driver; more are asked for each time.
_FEW = 100_000
#: Above so many rows of a changelog it is narrowed down before rows are compared in full.
_LONG = 500_000
_GAINED, _DIGEST = engine_column("gained"), engine_column("digest")
_OF_THE_LOG = {"_change_type", "_change_ordinal", "_commit_snapshot_id"}


@dataclass
class _Answer:
    lock: threading.Lock = field(default_factory=threading.Lock)
    known: bool = False
    rows: pa.Table | None = None

    def ask(self, rows: DataFrame) -> None:
        self.keep(rows.limit(_FEW + 1).toArrow())

    def keep(self, rows: pa.Table) -> None:
        self.rows, self.known = rows if rows.num_rows <= _FEW else None, True


class Changes:
    """What changed in tables, asked once for all that are made from them. For one run: answers are never forgotten."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: dict[tuple[str, int, int], _Answer] = {}

    def between(self, spark: SparkSession, table: IcebergTable, after: int, until: int) -> DataFrame:
        """:func:`changed_rows`, as a DataFrame of ``spark``."""
        answer = self._answer(table, after, until)
        with answer.lock:
            if not answer.known:
                answer.ask(changed_rows(spark, table, after, until))
        if answer.rows is None:
            return changed_rows(spark, table, after, until)
        return frame_of(spark, answer.rows)

    def known_between(self, table: IcebergTable, after: int, until: int) -> pa.Table | None:
        """:func:`changed_rows`, where they are few and known already."""
        answer = self._answer(table, after, until)
        with answer.lock:
            return answer.rows

    def record(self, table: IcebergTable, after: int, until: int, rows: pa.Table) -> None:
        """What the writer of snapshot ``until`` knows: ``rows`` are those that it changed, as :func:`changed_rows` has them."""
        answer = self._answer(table, after, until)
        with answer.lock:
            answer.keep(rows)

    def _answer(self, table: IcebergTable, after: int, until: int) -> _Answer:
        with self._lock:
            return self._answers.setdefault((table.name.dotted, after, until), _Answer())


def changed_rows(spark: SparkSession, table: IcebergTable, after: int, until: int) -> DataFrame:
    """Each row that ``table`` gained or lost after snapshot ``after`` up to ``until``, as it was.

    A changed row is there twice: before and after the change. Files that were rewritten hold mostly rows that did not
    change: those come as lost and gained once each, and cancel out.
    """
    reader = spark.read.option("start-snapshot-id", after).option("end-snapshot-id", until)
    log = reader.table(f"{table.name}.`changes`")
    columns = [name for name in log.columns if name not in _OF_THE_LOG]
    if _length(table, after, until) > _LONG:
        log = _narrowed(log, columns)
    net = log.groupBy(*map(quote, columns)).agg(_gained().alias(_GAINED))
    return net.where(F.col(_GAINED) != 0).select(*map(quote, columns))


def _length(table: IcebergTable, after: int, until: int) -> int:
    """How many rows the changelog has, as the snapshots' summaries say."""
    total, counting = 0, False
    for info in table.history():
        if info.identifier == after:
            break
        counting = counting or info.identifier == until
        if counting:
            total += sum(int(info.summary.get(name, 0)) for name in ("added-records", "deleted-records"))
    return total


def _narrowed(log: DataFrame, columns: Sequence[str]) -> DataFrame:
    """The rows of ``log`` whose digests do not cancel out: all that changed, and of what did not change next to nothing.

    Digests are of 128 bits. Summing them up moves a fraction of the bytes that summing up rows does.
    """
    digests = [digest.alias(f"{_DIGEST}_{number}") for number, digest in enumerate(_digests(columns))]
    names = [f"{_DIGEST}_{number}" for number in range(len(digests))]
    marked = log.select("*", *digests)
    differing = marked.groupBy(*names).agg(_gained().alias(_GAINED)).where(F.col(_GAINED) != 0).select(*names)
    return marked.join(F.broadcast(differing), on=names, how="left_semi").drop(*names)


def _digests(columns: Sequence[str]) -> list[Column]:
    """Two hashes of a row that have nothing in common; NULLs, which a hash passes over, are hashed by their places."""
    values = [F.col(quote(name)) for name in columns]
    content = [*values, *(value.isNull() for value in values)]
    return [F.xxhash64(*content), F.xxhash64(F.lit("again"), *content)]


def _gained() -> Column:
    return F.sum(F.when(F.col("_change_type") == "INSERT", 1).otherwise(-1))
