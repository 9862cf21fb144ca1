"""What a Java table says of itself: each thing asked once, and as one text of JSON, not value by value."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lakehouse.iceberg.arrow_types import lake_type
from lakehouse.iceberg.java import IcebergClasses, each
from lakehouse.iceberg.snapshots import SnapshotInfo


@dataclass(frozen=True)
class Field:
    """A column of an Iceberg table; ``lake_type`` is a Spark SQL type name."""

    identifier: int
    name: str
    lake_type: str


class Description:
    """A Java table as it is; another is to be made after each change of it."""

    def __init__(self, java: Any, classes: IcebergClasses) -> None:
        self._java, self._classes = java, classes

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        schema = json.loads(self._classes("SchemaParser").toJson(self._java.schema()))
        return tuple(Field(field["id"], field["name"], lake_type(field["type"])) for field in schema["fields"])

    @cached_property
    def snapshot(self) -> dict[str, Any] | None:
        """The current snapshot."""
        snapshot = self._java.currentSnapshot()
        return None if snapshot is None else self._said(snapshot)

    @cached_property
    def spec_count(self) -> int:
        """How many partition specs the table has had."""
        return len(self._java.specs())

    @cached_property
    def io_properties(self) -> Mapping[str, str]:
        """Of the table's FileIO, credentials included: never log them."""
        properties: dict[str, str] = json.loads(
            self._classes("util.JsonUtil").mapper().writeValueAsString(self._java.io().properties())
        )
        return properties

    def history(self) -> Iterator[SnapshotInfo]:
        """The current snapshot and its ancestors, newest first."""
        if self.snapshot is None:
            return
        yield _info(self.snapshot)
        ancestors = each(self._classes("util.SnapshotUtil").currentAncestors(self._java))
        next(ancestors, None)
        for ancestor in ancestors:
            yield _info(self._said(ancestor))

    def _said(self, snapshot: Any) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(self._classes("SnapshotParser").toJson(snapshot))
        return said


def _info(said: Mapping[str, Any]) -> SnapshotInfo:
    summary = dict(said.get("summary", {}))
    return SnapshotInfo(said["snapshot-id"], summary.pop("operation", ""), said["timestamp-ms"], summary)
