"""Logs: one structlog configuration, with one step that takes secrets, and values of rows, out."""

import re
import sys
from collections.abc import Iterable
from typing import Any

import structlog
from structlog.typing import EventDict

from lakehouse.sqlstate import without_values

_HIDDEN = "[secret]"
_SHORTEST = 4  # a shorter text would hide words that are no secret
_IN_URI = re.compile(r"(?<=://)([^/\s:@]+):[^@\s/]+(?=@)")


class Redaction:
    """Takes known secrets, passwords in URIs, and values of rows that errors quote, out of texts."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted({secret for secret in secrets if len(secret) >= _SHORTEST}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def text(self, text: str) -> str:
        """``text`` without a secret or the value of a row."""
        text = without_values(text)
        if self._known is not None:
            text = self._known.sub(_HIDDEN, text)
        return _IN_URI.sub(rf"\1:{_HIDDEN}", text)

    def __call__(self, _logger: Any, _method: str, event: EventDict) -> EventDict:
        return {key: self._value(value) for key, value in event.items()}

    def _value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {key: self._value(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(self._value(item) for item in value)
        return value


def configure(redaction: Redaction, *, json_lines: bool = False) -> None:
    """Log to standard error, for people or, with ``json_lines``, for machines."""
    renderer: Any = (
        structlog.processors.JSONRenderer() if json_lines else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            redaction,
            renderer,
        ],
        logger_factory=_to_standard_error,
    )


def _to_standard_error(*_: Any) -> structlog.PrintLogger:
    """A logger to what standard error is when something is logged, not when logging was configured."""
    return structlog.PrintLogger(sys.stderr)
