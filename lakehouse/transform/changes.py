"""Which rows of a table changed between two of its snapshots."""

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lakehouse.paths import TableName, quote


def changed_rows(spark: SparkSession, table: TableName, after: int, until: int) -> DataFrame:
    """Each row that ``table`` gained or lost after snapshot ``after`` up to ``until``, as it was.

    A changed row is there twice: before and after the change. Files that were rewritten hold mostly rows that did not
    change: those come as lost and gained once each, and cancel out.
    """
    log = spark.read.option("start-snapshot-id", after).option("end-snapshot-id", until).table(f"{table}.`changes`")
    columns = [name for name in log.columns if name not in {"_change_type", "_change_ordinal", "_commit_snapshot_id"}]
    gained = F.sum(F.when(F.col("_change_type") == "INSERT", 1).otherwise(-1))
    net = log.groupBy(*map(quote, columns)).agg(gained.alias("_gained"))
    return net.where(F.col("_gained") != 0).select(*map(quote, columns))
