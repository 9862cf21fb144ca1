"""Errors that a row's value causes, recognised by their SQLSTATE: their texts quote the value, which may be personal.

Spark writes ``[CAST_INVALID_INPUT] The value '…' of the type … SQLSTATE: 22018``. Class 22 is the standard's "data
exception": casts, overflows, divisions, dates that are none.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(r"\[(?P<name>[A-Z][A-Z0-9_]*(?:\.[A-Z0-9_]+)*)\] |SQLSTATE: (?P<state>[0-9A-Z]{5})")
_DATA_EXCEPTION = "22"
_HIDDEN = "(the message is not shown: it holds a row's value)"


@dataclass(frozen=True)
class Condition:
    """A data exception in a text: its name (empty where none is told), and where the text between the two stands."""

    name: str
    state: str
    start: int
    end: int


def data_exceptions(text: str) -> Iterator[Condition]:
    """The data exceptions that ``text`` tells of. A name counts until its state: what looks like one in between is data."""
    opened: re.Match[str] | None = None
    for token in _TOKEN.finditer(text):
        if token["name"]:
            opened = opened or token
            continue
        if token["state"].startswith(_DATA_EXCEPTION):
            start = opened.end() if opened else token.start()
            yield Condition(opened["name"] if opened else "", token["state"], start, token.start())
        opened = None


def without_values(text: str) -> str:
    """``text`` without the messages of data exceptions; their names and states stay."""
    parts, at = [], 0
    for condition in data_exceptions(text):
        parts += [text[at : condition.start], f"{_HIDDEN} "]
        at = condition.end
    return "".join([*parts, text[at:]])
