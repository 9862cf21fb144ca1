"""How fast DuckDB answers on gold, by the analysts' file, beside plain Parquet of the same rows: TPC-H's 22 queries.

The rows are made by DuckDB's generator, put into a PostgreSQL, and come through raw, silver and gold as any other; the
Parquet beside them is what DuckDB's COPY writes of them by itself. Both are asked by one process, in turns, with the same
settings, after one run of each query that does not count; answers are held against each other.
"""

import json
import math
import shutil
import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import duckdb
import typer

from bench import others
from bench.common import HOME, environment, measured, own_services, result, say, timed
from scripts.services.settings import ROOT

_KEYS = {
    "customer": ("c_custkey",),
    "lineitem": ("l_orderkey", "l_linenumber"),
    "nation": ("n_nationkey",),
    "orders": ("o_orderkey",),
    "part": ("p_partkey",),
    "partsupp": ("ps_partkey", "ps_suppkey"),
    "region": ("r_regionkey",),
    "supplier": ("s_suppkey",),
}

_PIPELINE = (sys.executable, str(ROOT / "scripts" / "run_pipeline.py"))


@dataclass(frozen=True)
class Asked:
    """What a query took: from its start to its last row, and of the processor in all threads."""

    seconds: float
    processor_seconds: float

    def __str__(self) -> str:
        return f"{self.seconds:.3f} s, {self.processor_seconds:.3f} s of processor"


def main(
    scale: Annotated[float, typer.Option(min=0.01, help="TPC-H's scale factor.")] = 1,
    runs: Annotated[int, typer.Option(min=1, help="Runs of a query on each side; the median counts.")] = 5,
    again: Annotated[bool, typer.Option(help="Ask what the last call made, instead of making it anew.")] = False,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON object last.")] = False,
) -> None:
    """Measure TPC-H's queries over tables that came through the lake, and over plain Parquet."""
    home = HOME / "query"
    if not again:
        shutil.rmtree(home, ignore_errors=True)
        _make(home, scale)
    queries = json.loads((home / "plain" / "queries.json").read_text())
    lake = duckdb.connect(str(home / "lake" / "analytics.duckdb"), read_only=True)
    plain = duckdb.connect()
    for table in _KEYS:
        plain.execute(f"CREATE VIEW {table} AS FROM read_parquet('{home / 'plain' / table}.parquet')")
    of_lake, of_plain = [], []
    for number, query in enumerate(queries, 1):
        if not _alike(lake.execute(query).fetchall(), plain.execute(query).fetchall()):
            sys.exit(f"query {number}: the lake answers otherwise than plain Parquet of the same rows")
        in_turns = [(_asked(lake, query), _asked(plain, query)) for _ in range(runs)]
        of_lake.append(_median([first for first, _ in in_turns]))
        of_plain.append(_median([second for _, second in in_turns]))
        say(f"  query {number:>2}: {of_lake[-1]}; plain Parquet {of_plain[-1]}")
    lake_s, parquet_s = (sum(asked.seconds for asked in side) for side in (of_lake, of_plain))
    processor = [sum(asked.processor_seconds for asked in side) for side in (of_lake, of_plain)]
    say(
        f"of processor: {processor[0]:.2f} s; plain Parquet {processor[1]:.2f} s; ratio {processor[0] / processor[1]:.2f}"
    )
    values = {
        "lake_s": round(lake_s, 3),
        "parquet_s": round(parquet_s, 3),
        "ratio": round(lake_s / parquet_s, 3),
        "queries": len(queries),
    }
    result(values, as_json=json_output)


def _make(home: Path, scale: float) -> None:
    """Generate the rows, and carry them from PostgreSQL to gold."""
    folder = home / "plain"
    folder.mkdir(parents=True)
    with (
        own_services("postgres") as found,
        closing(found.postgres.connect()) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("DROP SCHEMA IF EXISTS tpch CASCADE; CREATE SCHEMA tpch; GRANT ALL ON SCHEMA tpch TO lakehouse")
        say(f"TPC-H at scale {scale:g}, into Parquet and into PostgreSQL")
        generator = [others.python(), str(ROOT / "bench" / "tpch.py"), str(scale), str(folder)]
        timed(generator, environment(home, **others.postgres_environment()))
        for table, key in _KEYS.items():
            cursor.execute(f"ALTER TABLE tpch.{table} ADD PRIMARY KEY ({', '.join(key)})")
        cursor.execute("ANALYZE")
        _write_registry(home / "registry" / "tpch", connection)
        run = measured(_PIPELINE, environment(home / "lake", LAKEHOUSE_REGISTRY=str(home / "registry")))
        say(f"through the lake: {run}")


def _write_registry(folder: Path, connection: Any) -> None:
    """A registry in which each table comes to gold as it is."""
    folder.mkdir(parents=True)
    for table, key in _KEYS.items():
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM tpch.{table} LIMIT 0")
            columns = [column.name for column in cursor.description]
        (folder / f"{table}.yml").write_text(f"source: {{connection: app_pg, relation: tpch.{table}}}\n")
        said = "".join(f"--   {column}: As TPC-H says.\n" for column in columns)
        (folder / f"{table}.sql").write_text(
            f"-- description: TPC-H's table.\n-- grain: [{', '.join(key)}]\n-- columns:\n{said}"
            f"SELECT {', '.join(columns)} FROM silver.{table}\n"
        )


def _asked(connection: duckdb.DuckDBPyConnection, query: str) -> Asked:
    began, computed = time.perf_counter(), time.process_time()
    connection.execute(query).fetchall()
    return Asked(time.perf_counter() - began, time.process_time() - computed)


def _median(asked: Sequence[Asked]) -> Asked:
    return Asked(
        statistics.median(one.seconds for one in asked), statistics.median(one.processor_seconds for one in asked)
    )


def _alike(one: Sequence[tuple[Any, ...]], other: Sequence[tuple[Any, ...]]) -> bool:
    """Whether two answers are the same, sums of fractions apart, which depend on the order of their rows."""
    return len(one) == len(other) and all(
        math.isclose(a, b, rel_tol=1e-9) if isinstance(a, float) and isinstance(b, float) else a == b
        for left, right in zip(one, other, strict=True)
        for a, b in zip(left, right, strict=True)
    )


if __name__ == "__main__":
    typer.run(main)
