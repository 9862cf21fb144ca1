"""A Spark application of the lakehouse: what every job in ``jobs/`` runs."""

import json
import sys
import threading
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from lakehouse import logs, spark
from lakehouse.errors import ConfigurationError, ExitCode, LakehouseError
from lakehouse.iceberg.catalog import Catalog
from lakehouse.iceberg.lake import Lake
from lakehouse.orchestrate import execute, lock
from lakehouse.orchestrate.runs import RunRecord, Status, TableRun, last_run, record_run, record_tables
from lakehouse.paths import TableName
from lakehouse.publish import duckdb_file
from lakehouse.raw.request import Request, Window
from lakehouse.registry import loader
from lakehouse.registry.loader import Registry
from lakehouse.settings import Profile, load_profile

_SPEAKING = threading.Lock()


def new_run_id() -> str:
    """An identifier that sorts by time."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:6]}"


class Work(BaseModel):
    """What an application is asked to do; it travels as JSON from the orchestrator.

    Attributes:
        tables: ``layer.table`` of each table to make.
        start, end: ISO dates of a range of days to replay (the end included); empty for none.
        begin, finish: whether this application opens and closes the run; false in between, when each table has its
            own application.
        failed: how many tables failed in the applications before.
        resume: whether to go on with the run that failed last.
    """

    model_config = ConfigDict(frozen=True)

    tables: tuple[str, ...] = ()
    run_id: str = Field(default_factory=new_run_id)
    full_refresh: bool = False
    start: str = ""
    end: str = ""
    accept_deletes: tuple[str, ...] = ()
    begin: bool = True
    finish: bool = True
    failed: int = 0
    resume: bool = False

    def request(self) -> Request:
        window = None
        if self.start:
            window = Window(_midnight(self.start), _midnight(self.end, days=1))
        return Request(self.run_id, self.full_refresh, window, frozenset(self.accept_deletes))


def main(work: Work, profile_name: str | None, *, json_lines: bool = True) -> int:
    """Run ``work`` and return its exit code; what became of each table goes to standard output as JSON lines."""
    redaction = logs.Redaction()
    try:
        profile = load_profile(profile_name)
        redaction = logs.Redaction(profile.secrets())
        logs.configure(redaction, json_lines=json_lines)
        registry = loader.load(profile.registry)
        _check(work, registry, profile)
        with lock.held(profile.lock, "write"):
            return int(_run(work, profile, registry, redaction))
    except LakehouseError as error:
        emit("error", {"message": redaction.text(str(error)), "exit_code": int(error.exit_code)})
        print(redaction.text(str(error)), file=sys.stderr)
        return int(error.exit_code)


def emit(event: str, content: dict[str, Any]) -> None:
    """One line of JSON to standard output, whole, whichever threads speak at once."""
    line = json.dumps({"event": event, **content}) + "\n"
    with _SPEAKING:
        sys.stdout.write(line)
        sys.stdout.flush()


def _run(work: Work, profile: Profile, registry: Registry, redaction: logs.Redaction) -> ExitCode:
    session = spark.session(profile, f"lakehouse {work.run_id}")
    lake = Lake(session, Catalog(session))
    if work.resume:
        resumed = _resumed(work, lake)
        if resumed is None:
            emit(
                "run_finished",
                {
                    "run_id": work.run_id,
                    "status": str(Status.UNCHANGED),
                    "failed": 0,
                    "note": "the last run succeeded; there is nothing to resume",
                },
            )
            return ExitCode.SUCCESS
        work = resumed
    plan = work.model_dump(include={"tables", "full_refresh", "start", "end", "accept_deletes"})
    emit("run_started", {"run_id": work.run_id, "tables": list(work.tables)})
    if work.begin:
        record_run(lake.catalog, RunRecord(work.run_id, Status.RUNNING, plan), profile.name)
    context = execute.Context(
        profile,
        registry,
        lake,
        work.request(),
        datetime.now(UTC),
        redaction,
        lambda run: emit("table", run.event()),
        work.resume,
    )
    results = execute.run([TableName.parse(table) for table in work.tables], context)
    record_tables(lake.catalog, work.run_id, results)
    code = execute.exit_code(results)
    if work.finish:
        _finish(work, plan, results, profile, registry, lake)
    return code


def _finish(
    work: Work, plan: dict[str, Any], results: Sequence[TableRun], profile: Profile, registry: Registry, lake: Lake
) -> None:
    failed = work.failed + sum(run.status in {Status.FAILED, Status.SKIPPED} for run in results)
    if not failed:
        tables = [lake.catalog.find(transformer.target) for transformer in registry.transformers.values()]
        views = [duckdb_file.View.of(table) for table in tables if table is not None]
        duckdb_file.write(Path(profile.analytics), views, profile.catalog_properties())
    status = Status.FAILED if failed else Status.SUCCEEDED
    record_run(lake.catalog, RunRecord(work.run_id, status, plan), profile.name, failed)
    emit("run_finished", {"run_id": work.run_id, "status": str(status), "failed": failed})


def _resumed(work: Work, lake: Lake) -> Work | None:
    """The work of the last run, if that did not succeed."""
    record = last_run(lake.catalog, lake.spark)
    if record is None or record.status is Status.SUCCEEDED:
        return None
    return work.model_copy(
        update=dict(Work.model_validate({**record.plan, "run_id": record.run_id}))
        | {"begin": work.begin, "finish": work.finish, "resume": True}
    )


def _check(work: Work, registry: Registry, profile: Profile) -> None:
    """Stop before Spark starts when a table is not in the registry or its source not in the profile."""
    known = {target.dotted for target in registry.targets()}
    for table in work.tables:
        if table not in known:
            raise ConfigurationError(
                f"the registry {registry.folder} makes no table {table!r}.",
                remedy=f"It makes: {', '.join(sorted(known))}.",
            )
        name = TableName.parse(table)
        if name.layer == "raw":
            profile.source(registry.tables[name.table].source.connection)


def _midnight(day: str, days: int = 0) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(days=days)
