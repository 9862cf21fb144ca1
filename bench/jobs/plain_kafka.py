"""A topic into an Iceberg table by Spark's own reader, as most people write it: a schema, the topic's name, one write."""

import sys

from pyspark.sql import functions as F

from lakehouse.settings import load_profile
from lakehouse.spark import session

servers, topic, *fields = sys.argv[1:]
spark = session(load_profile(), "plain")
messages = (
    spark.read.format("kafka")
    .option("kafka.bootstrap.servers", servers)
    .option("subscribe", topic)
    .option("kafka.isolation.level", "read_committed")
    .load()
)
schema = ", ".join(f"`{name}` string" for name in fields)
rows = messages.select(
    F.from_json(F.col("value").cast("string"), schema).alias("event"), "partition", "offset", "timestamp"
).select("event.*", "partition", "offset", "timestamp")
spark.sql("CREATE NAMESPACE IF NOT EXISTS iceberg.raw")
rows.writeTo("iceberg.raw.plain").createOrReplace()
print(spark.table("iceberg.raw.plain").count(), "rows")
