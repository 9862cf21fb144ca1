"""Iceberg's Java classes and collections from Python, with as few calls of the JVM as they can be had for.

Looking a class up by its packages (``jvm.org.apache.iceberg``) asks the JVM for each of them, which searches every jar for
a class of that name; a Python loop over a Java collection ends with an exception of the JVM, stack trace and all.
"""

from collections.abc import Iterator
from typing import Any


class IcebergClasses:
    """Classes of ``org.apache.iceberg`` by their names in it (``types.Types``), each looked up once."""

    def __init__(self, jvm: Any) -> None:
        self._jvm = jvm
        self._found: dict[str, Any] = {}

    def __call__(self, name: str) -> Any:
        found = self._found.get(name)
        if found is None:
            found = self._found[name] = getattr(self._jvm, f"org.apache.iceberg.{name}")
        return found


def each(items: Any) -> Iterator[Any]:
    """The items of a Java ``Iterable``."""
    iterator = items.iterator()
    while iterator.hasNext():
        yield iterator.next()
