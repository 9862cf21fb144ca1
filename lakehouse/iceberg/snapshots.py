"""A table's history: what each commit said of itself."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

#: The run that made a snapshot.
RUN_PROPERTY = "lakehouse.run-id"


@dataclass(frozen=True)
class SnapshotInfo:
    """A snapshot in a table's history. ``summary`` holds what the commit said of itself."""

    identifier: int
    operation: str
    committed_at_ms: int
    summary: Mapping[str, str]


class HasHistory(Protocol):
    """What tells a table's history: a table of the running Spark, or its metadata alone."""

    def history(self) -> Iterator[SnapshotInfo]: ...

    def newest(self, property_name: str) -> str | None: ...
