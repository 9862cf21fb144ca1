"""spark-submit job: what most scripts do: one JDBC connection, written to Iceberg."""

import sys

from lakehouse import spark
from lakehouse.settings import load_profile
from lakehouse.sources.postgres.settings import Settings as PostgresSource

if __name__ == "__main__":
    table = sys.argv[1]
    profile = load_profile("embedded")
    source = profile.source("app_pg")
    assert isinstance(source, PostgresSource)
    session = spark.session(profile, "plain jdbc")
    session.sql("CREATE NAMESPACE IF NOT EXISTS iceberg.plain")
    rows = (
        session.read.format("jdbc")
        .option("url", f"jdbc:postgresql://{source.host}:{source.port}/{source.database}")
        .option("driver", "org.postgresql.Driver")
        .option("user", source.user)
        .option("password", source.password.get_secret_value())
        .option("fetchsize", 10_000)
        .option("dbtable", table)
        .load()
    )
    rows.writeTo(f"iceberg.plain.{table}").using("iceberg").createOrReplace()
    session.stop()
