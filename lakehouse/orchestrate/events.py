"""What a run says while it goes: models, each a line of JSON to standard output for whoever follows it."""

import json
import sys
import threading
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from lakehouse.errors import ExitCode
from lakehouse.orchestrate.runs import Status, TableRun

_SPEAKING = threading.Lock()


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True)


class RunStarted(_Event):
    """An application begins its share of a run.

    Attributes:
        process: of the application's driver; it ends in order when it gets SIGTERM.
        note: what is unusual about the run, such as which one it resumes.
    """

    event: Literal["run_started"] = "run_started"
    run_id: str
    tables: tuple[str, ...] = ()
    process: int | None = None
    note: str = ""


class TableStarted(_Event):
    """A table begins, for the ``attempt``-th time."""

    event: Literal["table_started"] = "table_started"
    table: str
    attempt: int = 1


class RunFinished(_Event):
    """A run ended, and nothing of it is left open.

    Attributes:
        failed: tables that failed or were skipped.
        published: whether the analysts' file shows what gold holds now.
        note: what an operator should know, such as what held publishing back.
        log: the file with what the applications printed, when something failed.
    """

    event: Literal["run_finished"] = "run_finished"
    run_id: str
    status: Status
    failed: int = 0
    published: bool = False
    note: str = ""
    log: str | None = None


class Failed(_Event):
    """An application could not do its share, for a reason that is not one table's."""

    event: Literal["error"] = "error"
    message: str
    exit_code: int = int(ExitCode.SYSTEM_FAILURE)
    log: str | None = None


Event = Annotated[RunStarted | TableStarted | TableRun | RunFinished | Failed, Field(discriminator="event")]
_EVENTS: TypeAdapter[Event] = TypeAdapter(Event)


def line(event: Event) -> str:
    """``event`` as one line of JSON."""
    return json.dumps(event.model_dump(mode="json"))


def parsed(text: str) -> Event | None:
    """The event in a line of an application's output; ``None`` for what others print, logs as JSON included."""
    if not text.startswith("{"):
        return None
    try:
        return _EVENTS.validate_json(text)
    except ValidationError:
        return None


def emit(event: Event) -> None:
    """Tell ``event`` on standard output, as a whole line, whichever threads speak at once."""
    with _SPEAKING:
        sys.stdout.write(line(event) + "\n")
        sys.stdout.flush()
