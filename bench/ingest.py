"""Rows per second from PostgreSQL into Iceberg: this project, plain Spark JDBC, and dlt with connectorx.

Each is a process of its own, timed from its start to its end, on the same table, one after the other. From Cassandra
(``--source cassandra``): this project, and the limits of the driver (:mod:`bench.cassandra_read`).
"""

import os
import shutil
import subprocess
import sys
from contextlib import closing
from enum import StrEnum
from typing import Annotated

import typer

from bench import cassandra_read
from bench.common import HOME, environment, profile, result, say, services, start_of_spark, timed
from lakehouse.orchestrate.launch import application
from lakehouse.orchestrate.runs import Kind, Plan
from lakehouse.orchestrate.work import Work
from scripts.services.settings import ROOT

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


def main(
    rows: Annotated[int, typer.Option(min=1000)] = 5_000_000,
    source: Annotated[Source, typer.Option(help="Where the rows come from.")] = Source.POSTGRES,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON object last.")] = False,
) -> None:
    """Measure the ways on one table."""
    if source is Source.CASSANDRA:
        result(cassandra_read.measure(rows), as_json=json_output)
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
    shutil.rmtree(HOME, ignore_errors=True)
    registry = HOME / "registry" / "bench"
    registry.mkdir(parents=True)
    (registry / f"{table}.yml").write_text(
        f"source: {{connection: app_pg, relation: public.{table}}}\ncursor: updated_at\n"
    )
    start_of_spark(1)  # the first start on a machine leaves the class archive behind
    say("this project")
    ours = rows / _ours(table, "ours")
    say("plain Spark JDBC")
    job = application(profile(), str(ROOT / "bench" / "jobs" / "plain_jdbc.py"), [table])
    plain = rows / timed(job.command, environment(HOME / "plain"))
    say("dlt with connectorx")
    python = _dlt_python()
    password, port = found.env["APP_PG_PASSWORD"], found.endpoint("postgres").port
    uri = f"postgresql+psycopg2://lakehouse:{password}@127.0.0.1:{port}/app"
    dlt = rows / timed([python, str(ROOT / "bench" / "dlt_load.py"), uri, table, str(HOME / "dlt")], os.environ)
    result(
        {"rows": rows, "ours": round(ours), "dlt_connectorx": round(dlt), "spark_jdbc": round(plain)},
        as_json=json_output,
    )


def _ours(table: str, home: str) -> float:
    work = Work(kind=Kind.JOB, plan=Plan(tables=(f"raw.{table}",)))
    job = application(profile(), "run_plan.py", ["--work", work.as_json()])
    return timed(job.command, environment(HOME / home, LAKEHOUSE_REGISTRY=str(HOME / "registry")))


def _dlt_python() -> str:
    """The Python of an environment with dlt, made from bench/requirements.lock when it is not there."""
    folder = ROOT / ".lakehouse" / "bench-venv"
    python = folder / "bin" / "python"
    if not python.exists():
        say("installing dlt (once)")
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run(
            [
                str(python),
                "-m",
                "pip",
                "install",
                "--quiet",
                "--require-hashes",
                "-r",
                str(ROOT / "bench" / "requirements.lock"),
            ],
            check=True,
        )
    return str(python)


if __name__ == "__main__":
    typer.run(main)
