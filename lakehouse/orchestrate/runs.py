"""What a run asks for, and what became of it and of each of its tables."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime, Field, field_serializer, model_validator

from lakehouse.errors import ConfigurationError, ExitCode
from lakehouse.model import Strict
from lakehouse.paths import TableName
from lakehouse.raw.request import Window


class Status(StrEnum):
    """How a table, or a run, stands.

    ``unchanged`` is a success that had nothing to do; ``died`` is what the next run writes of one that ended without a
    word: killed, or its machine gone.
    """

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    SKIPPED = "skipped"
    DIED = "died"

    @property
    def is_good(self) -> bool:
        """Whether a table that ended so stands as a run wants it."""
        return self in {Status.SUCCEEDED, Status.UNCHANGED}


class Kind(StrEnum):
    """Who started a run: the master script, or a person or scheduler by ``spark-submit`` of a job."""

    PIPELINE = "pipeline"
    JOB = "job"


class DayRange(Strict):
    """Days to replay, both included, in UTC."""

    start: date
    end: date

    @classmethod
    def parse(cls, start: str, end: str) -> "DayRange | None":
        """The range of two texts like ``2026-10-31``; ``None`` when both are empty.

        Raises:
            ConfigurationError: only one is given, one is no day, or the first is after the second.
        """
        if not start and not end:
            return None
        if not start or not end:
            raise ConfigurationError("--from and --to come together; found only one of them.")
        try:
            first, last = date.fromisoformat(start), date.fromisoformat(end)
        except ValueError as error:
            raise ConfigurationError(f"--from and --to: {error}; expected days like 2026-10-31.") from None
        if first > last:
            raise ConfigurationError(f"--from {start} is after --to {end}; expected the first day first.")
        return cls(start=first, end=last)

    def window(self) -> Window:
        """From the first day's midnight up to the one after the last day."""
        return Window(
            datetime.combine(self.start, time(), UTC), datetime.combine(self.end, time(), UTC) + timedelta(days=1)
        )


class Plan(Strict):
    """What a run does, as a whole: ``ops.runs`` keeps it, so that ``--resume`` can go on.

    Attributes:
        tables: ``layer.table`` of each table to make.
        window: the days to replay.
        accept_deletes: source tables whose vanished rows a person has confirmed.
        again: for models, the version to train again and to compare; nothing is kept of it.

    Raises:
        ConfigurationError: a full refresh of a range of days: it would make that range the whole table.
    """

    tables: tuple[str, ...] = ()
    full_refresh: bool = False
    window: DayRange | None = None
    accept_deletes: tuple[str, ...] = ()
    again: dict[str, int] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _refuse_a_refresh_of_days(self) -> "Plan":
        if self.full_refresh and self.window is not None:
            raise ConfigurationError(
                f"--full-refresh was given with --from {self.window.start} --to {self.window.end}; a full refresh replaces "
                "all that a table holds, so the days before and after would be lost.",
                remedy="Give only --from and --to to replay these days, or only --full-refresh to load everything.",
            )
        return self

    def targets(self) -> list[TableName]:
        return [TableName.parse(table) for table in self.tables]


class TableRun(Strict):
    """What became of one table in one run: also the line that tells it to machines. Times in UTC, counts in rows.

    Attributes:
        snapshot: what was committed; ``None`` when nothing was.
        attempts: how often it was tried.
        error: what went wrong, without secrets and values of rows.
        exit_code: the error's, when the table failed.
        retryable: whether trying again may help.
    """

    event: Literal["table"] = "table"
    table: str
    status: Status
    started_at: AwareDatetime = Field(default_factory=lambda: datetime.now(UTC))
    seconds: float = 0.0
    rows_read: int = 0
    merged: int = 0
    superseded: int = 0
    rejected: int = 0
    tombstones: int = 0
    snapshot: int | None = None
    attempts: int = 1
    notes: tuple[str, ...] = ()
    error: str | None = None
    exit_code: int = 0
    retryable: bool = False

    @field_serializer("snapshot", when_used="json")
    def _as_text(self, snapshot: int | None) -> str | None:
        """Other languages read numbers of JSON as doubles, in which an id does not fit."""
        return None if snapshot is None else str(snapshot)

    @property
    def name(self) -> TableName:
        return TableName.parse(self.table)

    @classmethod
    def skipped(cls, table: TableName, cause: TableName) -> "TableRun":
        """``table`` was not made, since ``cause``, that it reads, failed or was itself skipped."""
        return cls(table=table.dotted, status=Status.SKIPPED, error=f"{cause.dotted} failed")


def exit_code(runs: Iterable[TableRun]) -> ExitCode:
    """The code of a run whose tables ended so: the worst of theirs."""
    return worst(ExitCode(run.exit_code) for run in runs if run.status is Status.FAILED)


def worst(codes: Iterable[ExitCode]) -> ExitCode:
    """The code that tells most of what must be mended first."""
    found = set(codes)
    order = (ExitCode.ALREADY_RUNNING, ExitCode.SYSTEM_FAILURE, ExitCode.CONFIGURATION, ExitCode.DATA_FAILURE)
    return next((code for code in order if code in found), ExitCode.SUCCESS)
