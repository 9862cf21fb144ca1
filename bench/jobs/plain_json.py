"""JSON lines into an Iceberg table by Spark's own reader, as most people write it: a schema, the file's name, one write."""

import sys

from pyspark.sql import functions as F

from lakehouse.settings import load_profile
from lakehouse.spark import session

folder, *fields = sys.argv[1:]
spark = session(load_profile(), "plain")
rows = spark.read.schema(", ".join(f"`{name}` string" for name in fields)).json(folder)
named = rows.withColumn("source_file", F.col("_metadata.file_path"))
spark.sql("CREATE NAMESPACE IF NOT EXISTS iceberg.raw")
named.writeTo("iceberg.raw.plain").createOrReplace()
print(spark.table("iceberg.raw.plain").count(), "rows")
