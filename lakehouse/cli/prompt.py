"""The prompt of `lakehouse sql`: queries of many lines, a history, and names completed."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import duckdb
from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.lexers import PygmentsLexer
from pygments.lexers.sql import SqlLexer

from lakehouse.errors import LakehouseError
from lakehouse.query.names import Names

_WORD = re.compile(r"[\w.]*$")
_LEAVE = {"exit", "quit"}
_KEYWORDS = (
    "SELECT", "FROM", "WHERE", "GROUP BY", "ORDER BY", "HAVING", "LIMIT", "JOIN", "LEFT JOIN", "USING", "DISTINCT", "UNION ALL",
    "WITH", "CASE", "WHEN", "THEN", "ELSE", "END", "AND", "NOT", "BETWEEN", "IS NULL", "DESC", "DESCRIBE", "SUMMARIZE",
    "SHOW TABLES", "count(*)",
)  # fmt: skip


class NameCompleter(Completer):
    """Completes names of tables, of their columns, and words of SQL."""

    def __init__(self, names: Names) -> None:
        self._names = names

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        word = _WORD.search(document.text_before_cursor)[0]  # type: ignore[index]  # it matches the empty text
        if not word:
            return
        columns = self._names.columns(document.text)
        qualifier, dot, start = word.rpartition(".")
        for name in [*self._names.tables, *([] if dot else columns), *([] if dot else _KEYWORDS)]:
            if name.lower().startswith(word.lower()):
                yield Completion(name, start_position=-len(word))
        if dot and qualifier:
            for name in columns:
                if name.startswith(start):
                    yield Completion(name, start_position=-len(start))


def converse(
    ask: Callable[[str], None], tell: Callable[[Exception], object], completer: Completer, history: Path
) -> None:
    """Read queries from the terminal until its end or `exit`; ``ask`` answers each, ``tell`` says what was wrong."""
    history.parent.mkdir(parents=True, exist_ok=True)
    session: PromptSession[str] = PromptSession(
        history=FileHistory(str(history)),
        completer=completer,
        complete_while_typing=True,
        complete_in_thread=True,
        lexer=PygmentsLexer(SqlLexer),
        multiline=True,
        key_bindings=_keys(),
        prompt_continuation=lambda width, *_: " " * width,
    )
    while True:
        try:
            query = session.prompt("lakehouse> ").strip()
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        if query.rstrip("; ").lower() in _LEAVE:
            return
        if not query:
            continue
        try:
            ask(query)
        except (LakehouseError, duckdb.Error) as error:
            tell(error)
        except KeyboardInterrupt:
            continue


def _keys() -> KeyBindings:
    """The Enter key ends a query at its semicolon, and begins a new line before it."""
    keys = KeyBindings()

    @keys.add("enter")
    def _(event: KeyPressEvent) -> Any:
        text = event.current_buffer.text.strip()
        if not text or text.endswith(";") or text.lower() in _LEAVE:
            event.current_buffer.validate_and_handle()
        else:
            event.current_buffer.insert_text("\n")

    return keys
