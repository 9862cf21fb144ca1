"""The one way in which gold is written. Branches, audits and releases of several tables at once will stand here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from lakehouse.errors import DataError
from lakehouse.iceberg.arrow_types import lake_type
from lakehouse.ingest.load import Lake
from lakehouse.paths import quote
from lakehouse.registry.transformers import Transformer
from lakehouse.transform.merge import overwrite


@dataclass(frozen=True)
class Part:
    """The part of a table to replace: the rows with one of ``values`` in ``columns``."""

    columns: Sequence[str]
    values: Sequence[Row]

    def condition(self) -> Column:
        if len(self.columns) == 1:
            return F.col(self.columns[0]).isin([row[0] for row in self.values])
        found = F.lit(False)
        for row in self.values:
            alike = F.lit(True)
            for name in self.columns:
                alike = alike & (F.col(name) == row[name])
            found = found | alike
        return found


def write_gold(
    result: DataFrame, transformer: Transformer, lake: Lake, properties: Mapping[str, str], part: Part | None
) -> int:
    """Write ``result`` as the content of a gold table, or of a ``part`` of it, in one snapshot; returns its id.

    Raises:
        DataError: two rows share the declared grain; nothing is written.
    """
    columns = {field.name: field.dataType.simpleString() for field in result.schema.fields}
    existing = lake.catalog.find(transformer.target)
    if existing is not None and {field.name: field.lake_type for field in existing.fields} != {
        name: lake_type(kind) for name, kind in columns.items()
    }:
        lake.catalog.drop(transformer.target)
        existing, part = None, None
    target = existing or lake.catalog.create(transformer.target, columns, transformer.partition_by)
    rows = (result if part is None else result.where(part.condition())).persist()
    try:
        _check_grain(rows, transformer)
        return overwrite(rows, target, properties, None if part is None else part.condition())
    finally:
        rows.unpersist()


def _check_grain(rows: DataFrame, transformer: Transformer) -> None:
    if not transformer.grain:
        return
    twice = rows.groupBy(*map(quote, transformer.grain)).count().where(F.col("count") > 1)
    found = twice.agg(F.count(F.lit(1))).first()
    if found is not None and found[0]:
        raise DataError(
            f"gold table {transformer.table}: {found[0]:,} combinations of its grain ({', '.join(transformer.grain)}) "
            "have more than one row; expected one row each. Gold is as it was.",
            remedy="Look for a join that multiplies rows in the transformer.",
        )
