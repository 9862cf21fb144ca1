"""spark-submit job: a small load a day, for a year, into one table; its last days beside the first ones of a new table.

Loads are the engine's own, without the start of an application for each. No table needs Spark for that.
"""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from lakehouse import spark
from lakehouse.iceberg.catalog import Catalog
from lakehouse.iceberg.lake import Lake
from lakehouse.model import SourceSettings
from lakehouse.raw.load import ingest, opened
from lakehouse.raw.request import Request
from lakehouse.registry.tables import SourceTable
from lakehouse.settings import load_profile
from scripts.services.control import Services

_ROWS = 10_000
_DAY = (
    "UPDATE year.{0} SET amount = amount + 1, updated_at = now() WHERE id BETWEEN %(day)s * 40 AND %(day)s * 40 + 39",
    "INSERT INTO year.{0} SELECT max(id) + g, 'new', g, now() FROM year.{0}, generate_series(1, 5) g GROUP BY g",
    "DELETE FROM year.{0} WHERE id IN (SELECT id FROM year.{0} ORDER BY id DESC OFFSET 1000 LIMIT 5)",
)


def _make(cursor: Any, name: str) -> None:
    cursor.execute("CREATE SCHEMA IF NOT EXISTS year")
    cursor.execute(
        f"CREATE TABLE year.{name} (id bigint PRIMARY KEY, name text, amount numeric(12, 2), updated_at timestamptz NOT NULL)"
    )
    cursor.execute(
        f"INSERT INTO year.{name} SELECT g, md5(g::text), g, now() - interval '1 day' FROM generate_series(1, {_ROWS}) g"
    )


def _loads(cursor: Any, name: str, source: SourceSettings, lake: Lake) -> Iterator[float]:
    """Seconds of each load of a new table: the first of all its rows, each other one of a day's changes."""
    _make(cursor, name)
    origin = {"connection": "app_pg", "relation": f"year.{name}"}
    table = SourceTable.model_validate(
        {"table": f"year_{name}", "domain": "bench", "source": origin, "cursor": "updated_at"}
    )
    number = 1
    while True:
        began = time.monotonic()
        with opened("app_pg", source, [table]) as session:
            loaded = ingest(table, session, lake, Request(f"load-{number}"))
        seconds = time.monotonic() - began
        if not loaded.rows:
            sys.exit(f"load {number} of year.{name} brought no row: {loaded.notes}")
        yield seconds
        for statement in _DAY:
            cursor.execute(statement.format(name), {"day": number % (_ROWS // 2 // 40)})
        number += 1


def main(loads: int, neighbours: int, result: Path) -> None:
    profile = load_profile("embedded")
    java = spark.jvm()
    lake = Lake(spark.Sessions.of_profile(java, profile, "year"), Catalog.of_profile(java, profile), computes=False)
    with closing(Services().postgres.connect()) as connection, connection.cursor() as cursor:
        old, new = (_loads(cursor, name, profile.source("app_pg"), lake) for name in ("old", "new"))
        before = [next(old) for _ in range(loads - neighbours)]
        next(new)
        pairs = [(next(new), next(old)) for _ in range(neighbours)]
    result.write_text(
        json.dumps({"before": before, "second": [new for new, _ in pairs], "last": [old for _, old in pairs]})
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
