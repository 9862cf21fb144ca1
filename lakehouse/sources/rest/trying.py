"""Which answers may pass, and when a request is sent again."""

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import requests
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from lakehouse.errors import SourceUnavailableError
from lakehouse.sources.rest.settings import Settings

_Result = TypeVar("_Result")
_PASSING = {408, 425, 429, 500, 502, 503, 504}
_GROWING = wait_random_exponential(multiplier=0.5, max=20)


class AgainError(SourceUnavailableError):
    """What may pass, and after how many seconds the server wants to be asked again, if it says so."""

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(
            message, remedy="Look at the API's state, and at `tries` and `request_timeout_s` in the profile."
        )
        self.after = after


def tried(tries: int, ask: Callable[[], _Result]) -> _Result:
    """What ``ask`` returns, called again after an :class:`AgainError`: when the server says, or after growing random waits."""
    retrying = Retrying(
        stop=stop_after_attempt(tries), wait=_wait, retry=retry_if_exception_type(AgainError), reraise=True
    )
    return retrying(ask)


def _wait(state: RetryCallState) -> float:
    error: Any = state.outcome.exception() if state.outcome else None
    return error.after if isinstance(error, AgainError) and error.after is not None else _GROWING(state)


def check_passing(source: Settings, answer: requests.Response, where: str) -> None:
    """Raise where another try of the same request may be answered otherwise.

    Raises:
        AgainError: at once, or as soon as the server says.
        SourceUnavailableError: that would be too long to wait for.
    """
    if answer.status_code not in _PASSING:
        return
    what = f"{where} answers {answer.status_code} {answer.reason}".strip()
    after = seconds_to_wait(answer.headers.get("Retry-After"), datetime.now(UTC))
    if after is None or after <= source.most_wait_s:
        raise AgainError(f"{what}.", after)
    raise SourceUnavailableError(
        f"{what} and wants to be left alone for {after:,.0f} s, longer than most_wait_s ({source.most_wait_s:,.0f} s).",
        remedy="Run again then, or raise `most_wait_s` in the profile.",
    )


def seconds_to_wait(said: str | None, now: datetime) -> float | None:
    """What ``Retry-After`` says: a number of seconds, or a moment (RFC 9110 section 10.2.3); ``None`` of anything else."""
    if said is None:
        return None
    if said.strip().isdecimal():
        return float(said)
    with contextlib.suppress(ValueError):
        at = parsedate_to_datetime(said)
        return max(0.0, ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds())
    return None
