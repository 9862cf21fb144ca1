"""spark-submit job: a day as most people write it: changed rows by JDBC, MERGE INTO silver, every mart rebuilt whole.

One application for all tables. What was deleted at the source is not seen. Up to four tables are loaded at a time, which
is more than most people do; marts are made one after the other, for they read each other.
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lakehouse import spark
from lakehouse.settings import Profile, load_profile
from lakehouse.sources.postgres.settings import Settings as PostgresSource

_AT_A_TIME = 4


def _relation(session: SparkSession, profile: Profile, table: str) -> DataFrame:
    source = profile.source("app_pg")
    assert isinstance(source, PostgresSource)
    options = {
        "url": f"jdbc:postgresql://{source.host}:{source.port}/{source.database}",
        "driver": "org.postgresql.Driver",
        "user": source.user,
        "password": source.password.get_secret_value(),
        "fetchsize": "10000",
        "dbtable": f"shop.{table}",
    }
    return session.read.format("jdbc").options(**options).load()


def _load(session: SparkSession, profile: Profile, name: str, table: dict[str, Any], last: str | None) -> str | None:
    """Bring what changed after ``last`` into silver, or everything; returns the newest change."""
    rows, column = _relation(session, profile, name), table["changed_at"]
    if last is None:
        writer = rows.writeTo(f"silver.{name}").using("iceberg")
        for field in table["partition_by"]:
            writer = writer.partitionedBy(F.months(field.removeprefix("months(").removesuffix(")")))
        writer.createOrReplace()
        newest = session.table(f"silver.{name}").agg(F.max(column)).head()
    else:
        changed = rows.where(F.col(column) > datetime.fromisoformat(last)).cache()
        newest = changed.agg(F.max(column)).head()
        if newest is not None and newest[0] is not None:
            changed.createOrReplaceTempView(f"changed_{name}")
            same = " AND ".join(f"t.{key} = c.{key}" for key in table["key"])
            session.sql(
                f"MERGE INTO silver.{name} AS t USING changed_{name} AS c ON {same}"
                " WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"
            )
        changed.unpersist()
    return newest[0].isoformat() if newest is not None and newest[0] is not None else last


def main(task_file: Path, state_file: Path) -> None:
    task = json.loads(task_file.read_text())
    state = json.loads(state_file.read_text()) if state_file.exists() else {}
    profile = load_profile("embedded")
    session = spark.session(profile, "plain day")
    session.catalog.setCurrentCatalog("iceberg")
    for namespace in ("silver", "gold"):
        session.sql(f"CREATE NAMESPACE IF NOT EXISTS {namespace}")
    tables = task["tables"]
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        loads = {n: pool.submit(_load, session, profile, n, table, state.get(n)) for n, table in tables.items()}
        state = {name: load.result() for name, load in loads.items()}
    for name, query in task["marts"]:
        session.sql(query).writeTo(f"gold.{name}").using("iceberg").createOrReplace()
    state_file.write_text(json.dumps(state))
    session.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
