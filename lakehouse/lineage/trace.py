"""The lineage of all gold tables of a registry, from the source's columns through silver."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.csv
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from lakehouse.errors import ConfigurationError
from lakehouse.gold.rebuild import parameters_of
from lakehouse.iceberg.metadata import LakeMetadata
from lakehouse.lineage.plan import Lineage, Origin, lineage, tag, tagged
from lakehouse.paths import Layer, TableName
from lakehouse.registry.loader import Registry
from lakehouse.registry.tables import SourceTable
from lakehouse.registry.transformers import Transformer
from lakehouse.silver.history import COLUMNS as HISTORY_COLUMNS
from lakehouse.silver.privacy import published_type
from lakehouse.spark import rows_to_frame


@dataclass
class Traced:
    """What is known of a registry's gold tables.

    Attributes:
        tables: the lineage of each gold table, by name.
        unknown: for those without, why.
    """

    registry: Registry
    tables: dict[str, Lineage] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)

    def sources(self, origin: Origin) -> Iterator[str]:
        """The source's columns that ``origin`` comes from, as ``connection relation.column``; references as they are."""
        layer, _, name = origin.table.partition(".")
        if layer == Layer.GOLD:
            known = self.tables.get(name)
            for before in known.columns.get(origin.column, ()) if known else ():
                yield from self.sources(before)
        elif layer == Layer.SILVER:
            table = self.registry.source_of(TableName(Layer.SILVER, name))
            history = name != table.table and origin.column in HISTORY_COLUMNS
            column = str(table.cursor) if history else origin.column
            yield f"{table.source.connection} {table.source.relation}.{source_column(table, column)}"
        else:
            yield str(origin)


def source_column(table: SourceTable, column: str) -> str:
    """The name at the source of a column of silver, as far as the registry file tells."""
    declared = table.columns.get(column)
    return (declared.source if declared else None) or column


def trace(registry: Registry, lake: LakeMetadata, parameters: Mapping[str, str], spark: SparkSession) -> Traced:
    """The lineage of each gold table of ``registry``.

    Args:
        lake: tells the columns of silver; what it does not have yet has those that the registry declares a type for.
        spark: any session; it needs no catalog.
    """
    traced = Traced(registry)
    for transformer in registry.transformers.values():
        try:
            frames = {name: _input(read, traced, lake, spark) for name, read in transformer.reads.items()}
            traced.tables[transformer.table] = of(transformer, frames, parameters, spark)
        except (PySparkException, ConfigurationError) as error:
            traced.unknown[transformer.table] = str(error).strip().partition("\n")[0]
    return traced


def of(
    transformer: Transformer, frames: Mapping[str, DataFrame], parameters: Mapping[str, str], spark: SparkSession
) -> Lineage:
    """The lineage of one transformer, given its inputs as tagged frames."""
    references = {name: _reference(path, spark) for name, path in transformer.references.items()}
    parts = dict.fromkeys(transformer.wants)
    result = transformer.function(**frames, **parameters_of(transformer, parameters), **references, **parts)
    return lineage(result)


def columns_of(target: TableName, registry: Registry, lake: LakeMetadata) -> dict[str, str]:
    """Name to type of a table of silver: as the lake has it, else as far as the registry declares it."""
    metadata = lake.find(target)
    if metadata is not None:
        return metadata.columns
    table = registry.source_of(target)
    kinds = {
        name: published_type(declared.pii, declared.type) for name, declared in table.columns.items() if declared.type
    }
    declared = {name: kind for name, kind in kinds.items() if kind is not None}
    return declared | HISTORY_COLUMNS if registry.keeps_history(target) else declared


def _input(read: TableName, traced: Traced, lake: LakeMetadata, spark: SparkSession) -> DataFrame:
    if read.layer is Layer.GOLD:
        made, metadata = traced.tables.get(read.table), lake.find(read)
        if made is None and metadata is None:
            raise ConfigurationError(f"the columns of {read.dotted} are not known")
        return tagged(spark, read.dotted, made.types if made else metadata.columns if metadata else {})
    return tagged(spark, read.dotted, columns_of(read, traced.registry, lake))


def _reference(path: Path, spark: SparkSession) -> DataFrame:
    table = pyarrow.csv.read_csv(path)
    names = table.column_names
    return rows_to_frame(spark, table.rename_columns([tag(path.name, name) for name in names])).toDF(*names)
