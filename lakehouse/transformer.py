"""What a registry's modules import: ``from lakehouse.transformer import transformer``."""

from pyspark.sql import Column
from pyspark.sql import functions as F

from lakehouse.matching import ends_of, matching
from lakehouse.registry.transformers import Touched, transformer

#: The surrogate key of the member that stands for what is not known.
UNKNOWN_KEY = -1


def surrogate_key(*natural: Column | str) -> Column:
    """A key (bigint) of a dimension's row: a hash of its natural key, so that it is the same in every run.

    Where a part of the natural key is NULL it is :data:`UNKNOWN_KEY`. Among ten million rows two share a key with a
    probability of about 3 in a million; a dimension whose grain is its key finds it then.
    """
    parts = [F.col(item) if isinstance(item, str) else item for item in natural]
    known = parts[0].isNotNull()
    for part in parts[1:]:
        known = known & part.isNotNull()
    return F.when(known, F.xxhash64(*(part.cast("string") for part in parts))).otherwise(
        F.lit(UNKNOWN_KEY).cast("bigint")
    )


__all__ = ["UNKNOWN_KEY", "Touched", "ends_of", "matching", "surrogate_key", "transformer"]
