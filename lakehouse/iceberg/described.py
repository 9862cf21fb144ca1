"""What a Java table says of itself: each thing asked once, and as one text of JSON, not value by value."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lakehouse.iceberg.arrow_types import lake_type
from lakehouse.iceberg.java import IcebergClasses, each
from lakehouse.iceberg.partitioning import PartitionField
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
    def _spec(self) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(self._classes("PartitionSpecParser").toJson(self._java.spec()))
        return said

    @property
    def spec_id(self) -> int:
        """Of the current partition spec."""
        return int(self._spec["spec-id"])

    @cached_property
    def partition_fields(self) -> tuple[PartitionField, ...]:
        """The fields of the current partition spec, in its order."""
        names = {field.identifier: field.name for field in self.fields}
        return tuple(
            PartitionField(str(field["field-id"]), field["transform"], names[field["source-id"]])
            for field in self._spec["fields"]
        )

    @cached_property
    def has_usual_metrics(self) -> bool:
        """Whether nobody asked for other metrics of data files than Iceberg's usual ones."""
        properties = json.loads(self._classes("util.JsonUtil").mapper().writeValueAsString(self._java.properties()))
        return not any(name.startswith("write.metadata.metrics.") for name in properties)

    @cached_property
    def is_hadoop(self) -> bool:
        """Whether Hadoop's file systems hold the files."""
        file = self._java.io().newInputFile(self._java.location())
        return str(file.getClass().getSimpleName()) == "HadoopInputFile"

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
