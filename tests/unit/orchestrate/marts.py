"""A small lake for runs without a source: one silver table of people, and marts that a test makes up."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import functions as F

from lakehouse.errors import ExitCode
from lakehouse.iceberg.lake import Lake
from lakehouse.iceberg.write import overwrite
from lakehouse.logs import Redaction
from lakehouse.orchestrate import application
from lakehouse.orchestrate.runs import Kind, Plan, TableRun
from lakehouse.orchestrate.work import Work
from lakehouse.paths import TableName, ops, raw
from lakehouse.raw.columns import RAW_COLUMNS
from lakehouse.raw.state import PROPERTY, State
from lakehouse.registry import loader
from lakehouse.testing import local_frame
from tests.conftest import TestLake

#: A text that no log, message or table of ``ops`` may show.
CANARY = "canary-4711"
_NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Marts:
    """Marts of a table of people; their names carry a tag, since the tests share a catalog."""

    def __init__(self, lake: TestLake, people: str, tag: str, home: Path) -> None:
        self.lake, self.people, self.tag, self.home = lake, people, tag, home
        self.profile = lake.profile.model_copy(update={"registry": lake.folder, "analytics": home / "analytics.duckdb"})
        lake.register(people, "source: {connection: app, relation: public.people}\n")

    def load(self) -> None:
        """Put two people into raw, as an ingest would, and make silver of them."""
        name, lake = raw(self.people), self.lake
        target = lake.catalog.create(name, {"id": "int", "name": "string", **RAW_COLUMNS})
        rows = local_frame(lake.spark, [(1, "12"), (2, CANARY)], "id int, name string")
        engine = {"_run_id": F.lit("r"), "_ingested_at": F.lit(_NOW), "_op": F.lit("upsert"), "_misfits": F.lit(None)}
        full = rows.withColumns({column: value.cast(RAW_COLUMNS[column]) for column, value in engine.items()})
        overwrite(full, target, {PROPERTY: State(taken_at=_NOW, key=("id",)).model_dump_json()})
        assert [run.error for run in lake.run(f"silver.{self.people}").values()] == [None]

    def name(self, table: str) -> str:
        return f"{table}_{self.tag}"

    def sql(self, mart: str, query: str) -> str:
        """Make a mart of a query, in which ``{people}`` is the silver table; returns its ``layer.table``."""
        text = query.replace("{people}", f"silver.{self.people}")
        (self.lake.folder / "domain" / f"{self.name(mart)}.sql").write_text(text)
        return f"gold.{self.name(mart)}"

    def python(self, mart: str, body: str) -> str:
        """Make a mart of the body of a function of ``people``; returns its ``layer.table``."""
        name = self.name(mart)
        (self.lake.folder / "domain" / f"{name}.py").write_text(
            "from lakehouse.transformer import transformer\n\n\n"
            f'@transformer(table="{name}", reads={{"people": "silver.{self.people}"}})\n'
            f"def {name}(people):\n    {body}\n"
        )
        return f"gold.{name}"

    def drop(self, mart: str) -> None:
        """Take a mart out of the registry."""
        for path in (self.lake.folder / "domain").glob(f"{self.name(mart)}.*"):
            path.unlink()

    def run(self, *tables: str, kind: Kind = Kind.PIPELINE, **options: Any) -> ExitCode:
        """An application's run in this process, with all that it leaves in ``ops``."""
        work = Work(kind=kind, plan=Plan(tables=tables), **options)
        return self.do(work)

    def do(self, work: Work, lake: Lake | None = None) -> ExitCode:
        lake = lake or Lake(self.lake.spark, self.lake.catalog)
        redaction = Redaction(self.profile.secrets())
        return application.run(work, self.profile, loader.load(self.lake.folder), lake, redaction)

    def told(self, run_id: str | None = None) -> dict[str, tuple[str, str | None]]:
        """What ``ops.table_runs`` says of this test's tables, in one run or in all: status and error."""
        where = "true" if run_id is None else f"run_id = '{run_id}'"
        rows = self._ops("table_runs", f"table_name, status, error, started_at WHERE {where}")
        rows.sort(key=lambda row: row[3])
        return {row[0].removesuffix(f"_{self.tag}"): (row[1], row[2]) for row in rows if row[0].endswith(self.tag)}

    def status(self, run_id: str) -> list[str]:
        """The statuses of a run, in the order in which it had them."""
        rows = self._ops("runs", f"status, at WHERE run_id = '{run_id}'")
        return [row[0] for row in sorted(rows, key=lambda row: row[1])]

    def _ops(self, table: str, columns_and_where: str) -> list[Any]:
        columns, _, where = columns_and_where.partition(" WHERE ")
        if self.lake.catalog.find(ops(table)) is None:
            return []
        return list(self.lake.spark.sql(f"SELECT {columns} FROM {ops(table)} WHERE {where}").collect())

    def head(self, table: str) -> int | None:
        return self.lake.catalog.get(TableName.parse(table)).head


def events(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The events told since the last look."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith('{"event"')]


def ends(found: list[dict[str, Any]]) -> dict[str, TableRun]:
    return {event["table"]: TableRun.model_validate(event) for event in found if event["event"] == "table"}
