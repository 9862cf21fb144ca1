"""What the lake's tables are, read from their metadata by PyIceberg: no Spark, no JVM, and nothing is written."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pyiceberg.catalog import Catalog as PyCatalog
from pyiceberg.catalog.rest import RestCatalog
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import NoSuchNamespaceError, NoSuchTableError, RESTError
from pyiceberg.table import Table
from pyiceberg.table.snapshots import ancestors_of
from requests.exceptions import RequestException
from sqlalchemy import URL
from sqlalchemy.exc import SQLAlchemyError

from lakehouse.errors import ConfigurationError, SystemFailureError, one_line
from lakehouse.iceberg.arrow_types import lake_type
from lakehouse.iceberg.described import Field
from lakehouse.iceberg.partitioning import spelled
from lakehouse.iceberg.snapshots import SnapshotInfo
from lakehouse.paths import CATALOG, Layer, TableName
from lakehouse.settings import Profile

_SQLITE = "jdbc:sqlite:"


@dataclass(frozen=True)
class TableMetadata:
    """A table as it was when it was read.

    Attributes:
        partition_by: partition fields, as the registry spells them.
        sort_by: columns of the sort order.
        snapshots: the current snapshot and its ancestors, newest first.
        metadata_file: where all of this stands.
    """

    name: TableName
    fields: tuple[Field, ...]
    partition_by: tuple[str, ...] = ()
    sort_by: tuple[str, ...] = ()
    snapshots: tuple[SnapshotInfo, ...] = ()
    metadata_file: str = ""

    @classmethod
    def of(cls, name: TableName, table: Table) -> "TableMetadata":
        schema = table.schema()
        fields = tuple(
            Field(f.field_id, f.name, lake_type(f.field_type.model_dump(by_alias=True))) for f in schema.fields
        )
        parts = [spelled(str(f.transform), schema.find_column_name(f.source_id) or "") for f in table.spec().fields]
        order = [schema.find_column_name(f.source_id) or "" for f in table.sort_order().fields]
        snapshots = tuple(_snapshots(table))
        return cls(name, fields, tuple(filter(None, parts)), tuple(order), snapshots, table.metadata_location)

    @property
    def columns(self) -> dict[str, str]:
        """Name to Spark SQL type."""
        return {field.name: field.lake_type for field in self.fields}

    @property
    def head(self) -> int | None:
        """The id of the current snapshot; ``None`` in a table that nothing was committed to."""
        return self.snapshots[0].identifier if self.snapshots else None

    @property
    def row_count(self) -> int:
        """Rows in the current snapshot, as its summary says."""
        return int(self.snapshots[0].summary.get("total-records") or 0) if self.snapshots else 0

    def history(self) -> Iterator[SnapshotInfo]:
        return iter(self.snapshots)

    def newest(self, property_name: str) -> str | None:
        """The property's value in the newest snapshot that has it: maintenance makes snapshots without."""
        return next((s.summary[property_name] for s in self.snapshots if property_name in s.summary), None)


def _snapshots(table: Table) -> Iterator[SnapshotInfo]:
    for snapshot in ancestors_of(table.current_snapshot(), table.metadata):
        summary = snapshot.summary
        properties = {} if summary is None else {str(k): str(v) for k, v in summary.additional_properties.items()}
        operation = "" if summary is None else str(summary.operation.value)
        yield SnapshotInfo(snapshot.snapshot_id, operation, snapshot.timestamp_ms, properties)


class LakeMetadata:
    """The tables of a profile's lake. A lake that no run has made yet has none."""

    def __init__(self, profile: Profile) -> None:
        self._catalog = _catalog(profile)

    def find(self, name: TableName) -> TableMetadata | None:
        """The table of that name; ``None`` when there is none."""
        if self._catalog is None:
            return None
        with _reported(f"reading the metadata of {name.dotted}"):
            try:
                return TableMetadata.of(name, self._catalog.load_table((name.layer.value, name.table)))
            except (NoSuchTableError, NoSuchNamespaceError):
                return None

    def tables(self, layer: Layer) -> list[TableName]:
        """The tables of a layer, by name."""
        if self._catalog is None:
            return []
        with _reported(f"listing the tables of {layer.value}"):
            try:
                found = self._catalog.list_tables(layer.value)
            except NoSuchNamespaceError:
                return []
        return sorted((TableName(layer, str(identifier[-1])) for identifier in found), key=lambda name: name.table)


def _catalog(profile: Profile) -> PyCatalog | None:
    """The catalog of ``profile``; ``None`` for one that no run has made yet.

    Raises:
        ConfigurationError: its type is none that can be read without Spark.
    """
    properties = profile.catalog_properties()
    kind, uri = properties.get("type", ""), properties.get("uri", "")
    if kind == "rest":
        with _reported(f"reaching the catalog at {uri}"):
            return RestCatalog(CATALOG, **_rest_properties(properties))
    if kind == "jdbc" and uri.startswith(_SQLITE):
        path = Path(uri.removeprefix(_SQLITE).partition("?")[0])
        if not path.exists():
            return None
        read_only = URL.create(
            "sqlite", database=f"file:{quote(str(path))}", query={"mode": "ro", "uri": "true", "timeout": "30"}
        )
        with _reported(f"opening the catalog {path}"):
            return SqlCatalog(CATALOG, uri=read_only.render_as_string(), init_catalog_tables="false")
    found = f"a catalog of type {kind!r}" + (f" at {uri.partition('?')[0]!r}" if kind == "jdbc" else "")
    raise ConfigurationError(
        f"profile {profile.name!r} has {found}; expected `type: rest`, or `type: jdbc` on a SQLite file, "
        "which are those that can be read without Spark.",
        remedy="Use `lakehouse run --dry-run`, which needs no catalog.",
    )


def _rest_properties(properties: dict[str, str]) -> dict[str, Any]:
    """Properties of Spark's REST catalog in PyIceberg's terms."""
    adapted = {key: value for key, value in properties.items() if key not in {"type", "io-impl", "client.region"}}
    if region := properties.get("client.region"):
        adapted["s3.region"] = region
    if path_style := adapted.pop("s3.path-style-access", None):
        adapted["s3.force-virtual-addressing"] = "false" if path_style == "true" else "true"
    return adapted


@contextmanager
def _reported(doing: str) -> Iterator[None]:
    """Turns an exception of the catalog or its store into one that says what was being done."""
    try:
        yield
    except (SQLAlchemyError, RESTError, RequestException, OSError) as error:
        raise SystemFailureError(
            f"{doing} failed: {one_line(error, 1000)}.", remedy="Is the catalog of the profile up?"
        ) from error
