"""The lake as a table's work sees it."""

from dataclasses import dataclass, field

from pyspark.sql import SparkSession

from lakehouse.iceberg.catalog import Catalog
from lakehouse.iceberg.changes import Changes


@dataclass(frozen=True)
class Lake:
    """Where tables are written: the Spark session, its Iceberg catalog, and what is known of changes in this run."""

    spark: SparkSession
    catalog: Catalog
    changes: Changes = field(default_factory=Changes)
