"""spark-submit job: open the profile's catalog, and nothing else."""

from lakehouse import spark
from lakehouse.iceberg.catalog import Catalog
from lakehouse.paths import raw
from lakehouse.settings import load_profile

if __name__ == "__main__":
    session = spark.session(load_profile("embedded"), "start")
    Catalog.of_session(session).find(raw("nothing"))
    session.stop()
