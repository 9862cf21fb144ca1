"""The order in which tables run, with work that is not Spark's."""

import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from lakehouse.errors import SourceUnavailableError
from lakehouse.orchestrate.boundary import Failure
from lakehouse.orchestrate.graph import Graph
from lakehouse.orchestrate.runs import Status, TableRun
from lakehouse.orchestrate.schedule import Carrier, Job, Tell
from lakehouse.paths import Layer, TableName
from lakehouse.registry import loader
from lakehouse.registry.loader import Registry

Work = Callable[[TableName, int], None]


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """Two source tables; a mart of each, and one of both marts."""
    folder = tmp_path / "registry" / "domain"
    folder.mkdir(parents=True)
    for name in ("slow", "quick"):
        (folder / f"{name}.yml").write_text(f"source: {{connection: app, relation: public.{name}}}\n")
        (folder / f"mart_{name}.sql").write_text(f"SELECT * FROM silver.{name}")
    (folder / "both.sql").write_text("SELECT s.* FROM gold.mart_slow AS s CROSS JOIN gold.mart_quick AS q")
    return loader.load(folder.parent)


def jobs(tables: Sequence[TableName]) -> list[Job]:
    """Raw tables together, as those of one source."""
    raw = tuple(table for table in tables if table.layer is Layer.RAW)
    return [*([Job(raw)] if raw else []), *(Job((table,)) for table in tables if table.layer is not Layer.RAW)]


def carry(registry: Registry, work: Work) -> list[TableRun]:
    """All tables, each made by ``work``; those of a job one after the other."""

    def attempt(job: Job, tell: Tell) -> None:
        for table in job.tables:
            work(table, job.attempt)
            tell(TableRun(table=table.dotted, status=Status.SUCCEEDED, attempts=job.attempt))

    def failed(table: TableName, failure: Failure, job: Job) -> TableRun:
        error = failure.error
        return TableRun(
            table=table.dotted,
            status=Status.FAILED,
            error=str(error),
            exit_code=int(error.exit_code),
            retryable=error.retryable,
            attempts=job.attempt,
        )

    return Carrier(jobs, attempt, failed).carry(Graph(registry, registry.targets()), lambda _: None)


def statuses(runs: Sequence[TableRun]) -> dict[str, str]:
    return {run.table: str(run.status) for run in runs}


def test_a_slow_table_holds_back_only_what_needs_it(registry: Registry) -> None:
    done = threading.Event()

    def work(table: TableName, _attempt: int) -> None:
        if table.dotted == "silver.slow":
            assert done.wait(20), "the quick mart should not wait for the slow table"
        if table.dotted == "gold.mart_quick":
            done.set()

    order = [run.table for run in carry(registry, work)]
    assert order.index("gold.mart_quick") < order.index("silver.slow") < order.index("gold.both")


def test_silver_starts_while_other_tables_of_its_source_still_load(registry: Registry) -> None:
    started = threading.Event()

    def work(table: TableName, _attempt: int) -> None:
        if table.dotted == "silver.quick":
            started.set()
        if table.dotted == "raw.slow":  # the second of its job
            assert started.wait(20)

    assert set(statuses(carry(registry, work)).values()) == {"succeeded"}


def test_what_reads_a_table_that_failed_is_skipped_and_the_rest_runs(registry: Registry) -> None:
    def work(table: TableName, _attempt: int) -> None:
        if table.dotted == "silver.slow":
            raise ValueError("broken")

    runs = carry(registry, work)
    assert statuses(runs) == {
        "raw.slow": "succeeded", "raw.quick": "succeeded", "silver.slow": "failed", "silver.quick": "succeeded",
        "gold.mart_slow": "skipped", "gold.mart_quick": "succeeded", "gold.both": "skipped"}  # fmt: skip
    errors = {run.table: run.error for run in runs if run.error}
    assert "ValueError: broken" in str(errors["silver.slow"])
    assert errors["gold.mart_slow"] == "silver.slow failed"
    assert errors["gold.both"] == "gold.mart_slow failed"


def test_what_may_pass_is_tried_again_and_holds_up_no_other(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lakehouse.orchestrate.schedule.FIRST_WAIT_S", 0.2)
    ends: dict[str, float] = {}

    def work(table: TableName, attempt: int) -> None:
        if table.dotted == "silver.slow" and attempt < 3:
            raise SourceUnavailableError("away")
        ends[table.dotted] = time.monotonic()

    runs = {run.table: run for run in carry(registry, work)}
    assert runs["silver.slow"].attempts == 3
    assert runs["gold.both"].status is Status.SUCCEEDED
    assert ends["silver.slow"] - ends["gold.mart_quick"] > 0.3  # 0.2 s and 0.4 s of waiting


def test_after_four_attempts_a_table_has_failed(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lakehouse.orchestrate.schedule.FIRST_WAIT_S", 0.001)
    attempts: list[int] = []

    def work(table: TableName, attempt: int) -> None:
        if table.dotted == "raw.slow":
            attempts.append(attempt)
            raise SourceUnavailableError("away")

    runs = {run.table: run for run in carry(registry, work)}
    assert attempts == [1, 2, 3, 4]
    assert (runs["raw.slow"].status, runs["raw.slow"].attempts) == (Status.FAILED, 4)


def test_tables_that_were_told_before_their_job_broke_stand(registry: Registry) -> None:
    def work(table: TableName, _attempt: int) -> None:
        if table.dotted == "raw.slow":
            raise KeyError("the second table of the job")

    found = statuses(carry(registry, work))
    assert found["raw.quick"] == found["gold.mart_quick"] == "succeeded"
    assert (found["raw.slow"], found["gold.both"]) == ("failed", "skipped")


def test_work_that_ends_its_thread_has_failed(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("threading.excepthook", lambda _: None)

    def work(table: TableName, _attempt: int) -> None:
        if table.dotted == "silver.quick":
            sys.exit(0)

    assert statuses(carry(registry, work))["silver.quick"] == "failed"
