"""Parts of rows that may belong to none."""

from collections.abc import Mapping

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.transformer import Touched


def known(column: str) -> Touched:
    """The values of ``column`` in changed rows. Of rows without one nothing is made, so that NULL need not be rebuilt."""

    def touched(changed: DataFrame, inputs: Mapping[str, DataFrame]) -> DataFrame:
        return changed.select(column).where(F.col(column).isNotNull())

    return touched
