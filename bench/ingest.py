"""Rows per second from PostgreSQL into Iceberg: this project, plain Spark JDBC, and dlt with connectorx.

Each is a process of its own, timed from its start to its end, on the same table, one after the other. From Cassandra
(``--source cassandra``): this project, and the limits of the driver (:mod:`bench.cassandra_read`). From files
(``--source files``) and from Kafka (``--source kafka``): this project, and Spark's own reader (:mod:`bench.files_read`,
:mod:`bench.kafka_read`).
"""

import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import closing
from enum import StrEnum
from typing import Annotated

import typer

from bench import cassandra_read, files_read, kafka_read, others
from bench.common import HOME, environment, profile, result, say, services, start_of_spark, timed
from bench.one_table import ingested, rates
from lakehouse.orchestrate.launch import application
from scripts.services.settings import ROOT

_HOME = HOME / "ingest"

_TABLE = """
CREATE TABLE {table} AS
SELECT g::bigint AS id, (g::bigint * 7919 % 200000)::int AS customer_id, 'product-' || (g % 5000) AS product,
       (ARRAY['new', 'paid', 'shipped', 'done'])[1 + g % 4] AS status, (g % 9)::int AS quantity,
       (g % 100000 / 100.0)::numeric(10, 2) AS price, random() * 1000 AS weight, md5(g::text) || ' note' AS note,
       g % 3 = 0 AS is_gift, timestamptz '2024-01-01' + g * interval '7 second' AS created_at,
       timestamptz '2024-01-01' + g * interval '9 second' AS updated_at
  FROM generate_series(1, {rows}) g
"""


class Source(StrEnum):
    """What is read."""

    POSTGRES = "postgres"
    CASSANDRA = "cassandra"
    FILES = "files"
    KAFKA = "kafka"


#: How each is measured, but PostgreSQL.
_MEASURES: Mapping[Source, Callable[[int], Mapping[str, object]]] = {
    Source.CASSANDRA: cassandra_read.measure,
    Source.FILES: files_read.measure,
    Source.KAFKA: kafka_read.measure,
}


def main(
    rows: Annotated[int, typer.Option(min=1000)] = 5_000_000,
    source: Annotated[Source, typer.Option(help="Where the rows come from.")] = Source.POSTGRES,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON object last.")] = False,
) -> None:
    """Measure the ways on one table."""
    if source in _MEASURES:
        result(_MEASURES[source](rows), as_json=json_output)
        return
    found = services("postgres")
    table = f"bench_{rows}"
    say(f"making {table}")
    with closing(found.postgres.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", (table,))
        if cursor.fetchone() == (None,):
            cursor.execute(_TABLE.format(table=table, rows=rows))
            cursor.execute(f"ALTER TABLE {table} ADD PRIMARY KEY (id)")
        cursor.execute(f"VACUUM ANALYZE {table}")
        cursor.execute("CHECKPOINT")
    shutil.rmtree(_HOME, ignore_errors=True)
    text = f"source: {{connection: app_pg, relation: public.{table}}}\ncursor: updated_at\n"
    start = start_of_spark()  # the first start on a machine leaves the class archive behind
    job = application(profile(), str(ROOT / "bench" / "jobs" / "plain_jdbc.py"), [table])
    password, port = found.env["APP_PG_PASSWORD"], found.endpoint("postgres").port
    uri = f"postgresql+psycopg2://lakehouse:{password}@127.0.0.1:{port}/app"
    dlt = [others.python(), str(ROOT / "bench" / "dlt_load.py"), uri, table, str(_HOME / "dlt")]
    seconds = {
        "ours": ingested(table, text, _HOME / "ours"),
        "dlt_connectorx": timed(dlt, os.environ),
        "spark_jdbc": timed(job.command, environment(_HOME / "plain")),
    }
    result(rates(rows, seconds, start), as_json=json_output)


if __name__ == "__main__":
    typer.run(main)
