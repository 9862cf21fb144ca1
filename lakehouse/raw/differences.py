"""What a read brings that raw does not hold alike: for sources that show no one moment, where reads overlap."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.paths import quote
from lakehouse.raw.columns import Contract
from lakehouse.raw.deletes import same_key
from lakehouse.sources.reader import MISFITS


def as_read(live: DataFrame, contract: Contract) -> DataFrame:
    """Raw's newest versions in the columns of a read; a column that raw does not have yet is NULL."""
    there = set(live.columns)
    columns = [
        F.col(quote(name)) if name in there else F.lit(None).cast(kind).alias(name)
        for name, kind in contract.lake_columns().items()
    ]
    return live.select(*columns, F.col("_misfits").alias(MISFITS))


def unlike(read: DataFrame, live: DataFrame) -> DataFrame:
    """The rows of ``read`` that ``live`` does not have alike in every column, NULLs included."""
    left, right = read.alias("read"), live.alias("live")
    return left.join(right, same_key(left, right, read.columns), how="left_anti")
