"""What an application is asked to do: it travels as JSON from the orchestrator."""

import uuid
from datetime import UTC, datetime

from pydantic import Field

from lakehouse.model import Strict
from lakehouse.orchestrate.runs import Kind, Plan, TableRun
from lakehouse.paths import TableName
from lakehouse.raw.request import Request


def new_run_id() -> str:
    """An identifier that sorts by time."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:6]}"


class Work(Strict):
    """One application's part of a run.

    Attributes:
        plan: the whole run's, whatever this application does of it.
        share: ``layer.table`` of each table that this application makes; ``None`` for all of the plan.
        opens: whether it records the run's beginning; the first application of a run does.
        closes: whether it publishes and records the run's end; the last one does.
        unrecorded: what became of tables that no application told of; recorded by the one that closes.
        failed: how many tables failed or were skipped in the applications before, ``unrecorded`` included.
        failed_learnt: how many of them are models or tables of scores, which hold nothing back.
        resume: whether to go on with a run that did not succeed, instead of ``plan``.
    """

    run_id: str = Field(default_factory=new_run_id)
    kind: Kind = Kind.PIPELINE
    plan: Plan = Plan()
    share: tuple[str, ...] | None = None
    opens: bool = True
    closes: bool = True
    unrecorded: tuple[TableRun, ...] = ()
    failed: int = 0
    failed_learnt: int = 0
    resume: bool = False

    @property
    def tables(self) -> tuple[str, ...]:
        """``layer.table`` of each table that this application makes."""
        return self.plan.tables if self.share is None else self.share

    def targets(self) -> list[TableName]:
        return [TableName.parse(table) for table in self.tables]

    def request(self) -> Request:
        """What its tables are asked for."""
        plan = self.plan
        window = None if plan.window is None else plan.window.window()
        return Request(self.run_id, plan.full_refresh, window, frozenset(plan.accept_deletes), plan.again)

    def as_json(self) -> str:
        """For a command line: what stands at its default is left out."""
        return self.model_dump_json(exclude_defaults=True)
