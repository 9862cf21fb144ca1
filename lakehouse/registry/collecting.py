"""How a module of the registry tells what it registers: whoever imports it collects what its decorators hand in."""

from collections.abc import Iterator
from contextlib import contextmanager

_collecting: list[list[object]] = []


def hand_in(registered: object) -> None:
    """Give what a decorator made to whoever collects; nobody does where a module is imported for itself."""
    if _collecting:
        _collecting[-1].append(registered)


@contextmanager
def collecting() -> Iterator[list[object]]:
    """What is registered meanwhile; where this is entered again within, that is of the inner list."""
    found: list[object] = []
    _collecting.append(found)
    try:
        yield found
    finally:
        _collecting.pop()
