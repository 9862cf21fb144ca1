"""The one place where any exception is caught: around a table's work, and around what is done for several."""

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import structlog

from lakehouse.errors import LakehouseError, SystemFailureError, one_line
from lakehouse.iceberg.spark_errors import SPARK_ERRORS, BrokenRowError, translated

log = structlog.get_logger()

T = TypeVar("T")
_LONGEST = 1500


class UnexpectedError(SystemFailureError):
    """An exception that nothing in the engine raises on purpose: of a transformer, a driver or the machine."""


@dataclass(frozen=True)
class Failure:
    """What guarded work raised, as one of the project's errors."""

    error: LakehouseError


def guarded(work: Callable[[], T], doing: str) -> T | Failure:
    """What ``work`` returns, or its failure, whatever it raises.

    The traceback of what is not an error of this project goes to the log, which takes secrets out; of an error that
    quotes a row, only the frames.

    Args:
        doing: what ``work`` does to which table, for the message.
    """
    try:
        return work()
    except LakehouseError as error:
        return Failure(error)
    except SPARK_ERRORS as error:
        failure = translated(error, doing)
        if isinstance(failure, BrokenRowError):
            log.error("a row broke it", doing=doing, frames="".join(traceback.format_tb(error.__traceback__)))
        else:
            log.error("Spark failed", doing=doing, exc_info=True)
        return Failure(failure)
    except Exception as error:  # a transformer is foreign code: other tables run on, whatever it raises
        log.error("it failed", doing=doing, exc_info=True)
        text = one_line(error, _LONGEST)
        return Failure(
            UnexpectedError(
                f"{doing} failed: {type(error).__name__}: {text or 'without a message'}.",
                remedy="The traceback is in the log of the run.",
            )
        )
