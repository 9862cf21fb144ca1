"""Iceberg's Java classes and collections from Python, with as few calls of the JVM as they can be had for."""

from collections.abc import Iterator
from typing import Any


class IcebergClasses:
    """Classes of ``org.apache.iceberg`` by their names in it (``types.Types``).

    By their full names: a path of packages asks the JVM for each of them.
    """

    def __init__(self, jvm: Any) -> None:
        self._jvm = jvm

    def __call__(self, name: str) -> Any:
        return getattr(self._jvm, f"org.apache.iceberg.{name}")


def each(items: Any) -> Iterator[Any]:
    """The items of a Java ``Iterable``: a Python loop over one ends with an exception of the JVM, stack trace and all."""
    iterator = items.iterator()
    while iterator.hasNext():
        yield iterator.next()
