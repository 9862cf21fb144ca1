"""The one way in which gold is written: its columns and its grain are checked, then it is one commit."""

from collections.abc import Mapping

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.errors import DataError
from lakehouse.gold.parts import Parts
from lakehouse.iceberg import write
from lakehouse.iceberg.lake import Lake
from lakehouse.iceberg.materialized import cached, materialized
from lakehouse.iceberg.table import IcebergTable
from lakehouse.paths import engine_column, quote
from lakehouse.registry.transformers import Transformer

_ROWS = engine_column("rows")


def write_gold(
    result: DataFrame,
    transformer: Transformer,
    lake: Lake,
    target: IcebergTable | None,
    properties: Mapping[str, str],
    parts: Parts | None,
) -> tuple[int, tuple[str, ...]]:
    """Write ``result`` as the content of a gold table, or of ``parts`` of it, in one snapshot.

    Parts that are partitions are replaced; others are merged by the grain, so that the snapshot holds true changes only.

    Args:
        target: the table as it is, with the columns of ``result``; ``None`` when it is to be made, or has other
            columns, so that it is replaced.

    Returns:
        The snapshot's id, and what an operator should know.

    Raises:
        DataError: ``result`` has other columns than declared, or two rows share the grain; nothing is written.
    """
    _check_columns(result, transformer)
    notes: tuple[str, ...] = ()
    rebuilt = result if parts is None else parts.of(result)
    keep = cached if parts is None or transformer.replaces_partitions else materialized
    with keep(rebuilt) as rows:
        _check_grain(rows, transformer)
        if target is None:
            name, layout = transformer.target, transformer.partition_by
            return write.replace(rows, name, lake.catalog, layout, properties), ()
        notes = target.partition(transformer.partition_by)
        if parts is None:
            return write.overwrite(rows, target, properties), notes
        if transformer.replaces_partitions:
            return write.overwrite(rows, target, properties, parts.spelled_out(quote(parts.columns[0]))), notes
        part = parts.frame(lake.spark)
        return write.merge_part(rows, target, transformer.grain, part, properties, lake.changes), notes


def _check_columns(result: DataFrame, transformer: Transformer) -> None:
    if transformer.columns and set(transformer.columns) != set(result.columns):
        lacking = sorted(set(transformer.columns) - set(result.columns))
        unsaid = sorted(set(result.columns) - set(transformer.columns))
        raise DataError(
            f"gold table {transformer.table}: its columns are not those that are declared: "
            f"{', '.join(lacking) or 'none'} missing, {', '.join(unsaid) or 'none'} undeclared. Gold is as it was.",
            remedy="Correct `columns` beside the transformer, or its result.",
        )


def _check_grain(rows: DataFrame, transformer: Transformer) -> None:
    if not transformer.grain:
        return
    missing = F.lit(False)
    for name in transformer.grain:
        missing = missing | F.col(quote(name)).isNull()
    grouped = rows.groupBy(*map(quote, transformer.grain)).agg(F.count(F.lit(1)).alias(_ROWS))
    found = grouped.agg(F.count_if(F.col(_ROWS) > 1), F.count_if(missing)).first()
    assert found is not None
    if found[0] or found[1]:
        raise DataError(
            f"gold table {transformer.table}: {found[0]:,} combinations of its grain ({', '.join(transformer.grain)}) "
            f"have more than one row, and {found[1]:,} hold a NULL; expected one row each. Gold is as it was.",
            remedy="Look for a join that multiplies rows in the transformer, or for an outer join that finds nothing.",
        )
