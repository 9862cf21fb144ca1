"""The Iceberg catalog, in the JVM that Spark runs in: tables by name, and the commits that make or remake them."""

import json
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

from lakehouse.errors import SystemFailureError
from lakehouse.iceberg.arrow_types import iceberg_type
from lakehouse.iceberg.java import IcebergClasses
from lakehouse.iceberg.partitioning import spec
from lakehouse.iceberg.properties import table_properties
from lakehouse.iceberg.reported import reported
from lakehouse.iceberg.table import IcebergTable, change_columns
from lakehouse.iceberg.writing import Writing
from lakehouse.paths import CATALOG, Layer, TableName
from lakehouse.settings import Profile

_NOT_THERE = {"NoSuchTableException", "NoSuchNamespaceException"}


class Catalog:
    """The Iceberg catalog of the lake; needs a JVM, and no Spark session.

    Args:
        classes: of the JVM.
        java: Iceberg's catalog.
    """

    def __init__(self, classes: IcebergClasses, java: Any) -> None:
        self._classes, self._java = classes, java
        self._creating = threading.Lock()

    @classmethod
    def of_profile(cls, jvm: Any, profile: Profile) -> "Catalog":
        """The catalog of ``profile``, made as Spark makes its own of it.

        Raises:
            SystemFailureError: it cannot be opened.
        """
        classes, prefix = IcebergClasses(jvm), f"spark.sql.catalog.{CATALOG}."
        conf, properties = jvm.org.apache.spark.SparkConf(), {}
        for key, value in profile.spark_conf().items():
            conf.set(key, value)
            if key.startswith(prefix):
                properties[key.removeprefix(prefix)] = value
        with reported(f"opening the catalog of profile {profile.name!r}"):
            hadoop = jvm.org.apache.spark.deploy.SparkHadoopUtil.get().newConfiguration(conf)
            for key, value in properties.items():
                if key.startswith("hadoop."):
                    hadoop.set(key.removeprefix("hadoop."), value)
            return cls(classes, classes("CatalogUtil").buildIcebergCatalog(CATALOG, properties, hadoop))

    @classmethod
    def of_session(cls, spark: SparkSession) -> "Catalog":
        """The catalog that a session of Spark has."""
        classes = IcebergClasses(spark._jvm)
        return cls(classes, classes("spark.Spark3Util").loadIcebergCatalog(spark._jsparkSession, CATALOG))

    def find(self, name: TableName) -> IcebergTable | None:
        """The table of that name, as it is now; ``None`` when there is none."""
        identifier = self._identifier(name)
        with reported(f"loading {name.dotted}"):
            try:
                java = self._java.loadTable(identifier)
            except Py4JJavaError as error:  # to ask whether it exists would be to load it twice
                if error.java_exception.getClass().getSimpleName() in _NOT_THERE:
                    return None
                raise
        return IcebergTable(name, java, self._classes)

    def get(self, name: TableName) -> IcebergTable:
        """The table of that name; :class:`SystemFailureError` when there is none."""
        table = self.find(name)
        if table is None:
            raise SystemFailureError(
                f"table {name.dotted} is not there; expected that an earlier step made it.",
                remedy="Run that step first.",
            )
        return table

    def create(self, name: TableName, columns: Mapping[str, str]) -> IcebergTable:
        """A new, empty table with ``columns`` (name to Spark SQL type), all nullable."""
        with reported(f"creating {name.dotted}"):
            return IcebergTable(name, self._builder(name, columns).create(), self._classes)

    def extend(self, name: TableName, added: Mapping[str, str], widened: Mapping[str, str]) -> Writing:
        """A commit to come to a table that is there, which first gets columns, or wider types, in the same commit."""
        table = self.get(name)
        with reported(f"changing the columns of {name.dotted}"):
            transaction = table.transaction()
            if added or widened:
                change_columns(transaction, self._classes, added, widened)
        return Writing(name, transaction, self._classes, self.get, table.head)

    def replace(self, name: TableName, columns: Mapping[str, str], partition_by: Sequence[str] = ()) -> Writing:
        """A commit to come after which the table has just ``columns`` and just the rows that are written with them.

        Until then the table is as it was, or is not there; its files and snapshots stay for whoever reads them.
        """
        table = self.find(name)
        with reported(f"replacing {name.dotted}"):
            if (
                table is not None
                and not partition_by
                and {field.name: field.lake_type for field in table.fields} == dict(columns)
            ):
                return Writing(name, table.transaction(), self._classes, self.get, table.head, whole=True)
            builder = self._builder(name, columns, partition_by)
            transaction = builder.createTransaction() if table is None else builder.replaceTransaction()
            return Writing(name, transaction, self._classes, self.get)

    def ensure_namespace(self, layer: Layer) -> None:
        """Make the namespace of ``layer`` unless it is there."""
        namespace = self._identifier_of(f"{layer.value}.any").namespace()
        with self._creating:
            if not self._java.namespaceExists(namespace):
                self._java.createNamespace(namespace)

    def _builder(self, name: TableName, columns: Mapping[str, str], partition_by: Sequence[str] = ()) -> Any:
        self.ensure_namespace(name.layer)
        fields = [
            {"id": number, "name": column, "required": False, "type": iceberg_type(kind)}
            for number, (column, kind) in enumerate(columns.items(), start=1)
        ]
        schema = self._classes("SchemaParser").fromJson(
            json.dumps({"type": "struct", "schema-id": 0, "fields": fields})
        )
        builder = self._java.buildTable(self._identifier(name), schema)
        if partition_by:
            builder = builder.withPartitionSpec(spec(self._classes, schema, partition_by))
        for key, value in table_properties(name.layer, partition_by).items():
            builder = builder.withProperty(key, value)
        return builder

    def _identifier(self, name: TableName) -> Any:
        return self._identifier_of(name.dotted)

    def _identifier_of(self, dotted: str) -> Any:
        return self._classes("catalog.TableIdentifier").parse(dotted)
