"""What can go wrong, by who can mend it.

Every error says what was being done to which table, what was found, what was expected and what to do next.
The class decides what the orchestrator does: ``retryable`` errors are tried again, and ``exit_code`` is what
``lakehouse`` and the jobs end with.
"""

import difflib
from collections.abc import Sequence
from enum import IntEnum


class ExitCode(IntEnum):
    """How a command ended, for a scheduler. 2 is also what argparse and typer answer to a wrong option."""

    SUCCESS = 0
    DATA_FAILURE = 1
    CONFIGURATION = 2
    SYSTEM_FAILURE = 3
    ALREADY_RUNNING = 4


class LakehouseError(Exception):
    """Base of all errors that this project raises on purpose.

    Args:
        message: one paragraph: what was being done, what was found, what was expected.
        remedy: what to do next, as an instruction; appended to the message.
    """

    exit_code: ExitCode = ExitCode.SYSTEM_FAILURE
    retryable: bool = False

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(f"{message} {remedy}".strip())


class ConfigurationError(LakehouseError):
    """A profile, a registry file or a command-line argument is wrong. Nothing has run."""

    exit_code = ExitCode.CONFIGURATION


class DataError(LakehouseError):
    """One table cannot go on because of what its source or its rows hold. Other tables can."""

    exit_code = ExitCode.DATA_FAILURE


class SchemaDriftError(DataError):
    """The source changed its shape in a way that would lose data."""


class BrakeError(DataError):
    """So many keys vanished from the source that emptying the lake needs a person's word."""


class SourceError(LakehouseError):
    """A source refused: wrong credentials, a missing relation, no permission. Trying again will not help."""

    exit_code = ExitCode.DATA_FAILURE


class SourceUnavailableError(SourceError):
    """A source did not answer, or the connection broke. Trying again may help."""

    exit_code = ExitCode.SYSTEM_FAILURE
    retryable = True


class SystemFailureError(LakehouseError):
    """Spark, the catalog or the warehouse failed."""


class AlreadyRunningError(LakehouseError):
    """Another run holds the lock."""

    exit_code = ExitCode.ALREADY_RUNNING


def one_line(said: object, most: int | None = None) -> str:
    """What an error of another program says, for a message: its blanks and ends of lines are one blank each.

    Args:
        most: letters that are kept; absent: all.
    """
    return " ".join(str(said).split())[:most]


def suggest(wanted: str, known: Sequence[str]) -> str:
    """«Did you mean …» for a name that is not there, or what is there; for messages.

    Of several names that resemble it, only those nearly as close as the closest: names that share a long
    prefix, such as a schema, all resemble one another.
    """
    close = difflib.get_close_matches(wanted, known, n=3, cutoff=0.6)
    if close:
        closeness = {name: difflib.SequenceMatcher(None, wanted, name).ratio() for name in close}
        close = [name for name in close if closeness[name] >= closeness[close[0]] - 0.1]
        return f"Did you mean {' or '.join(repr(name) for name in close)}?"
    return f"There is: {', '.join(sorted(known)[:20])}{' …' if len(known) > 20 else ''}." if known else "There is none."
