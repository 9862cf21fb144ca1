"""The one way in which gold is written: its columns and its grain are checked, then it is one commit."""

from collections.abc import Mapping
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.errors import DataError
from lakehouse.gold.parts import Parts
from lakehouse.iceberg import write, write_here
from lakehouse.iceberg.arrow_types import has_arrow_type, held_as
from lakehouse.iceberg.lake import Lake
from lakehouse.iceberg.materialized import cached, materialized
from lakehouse.iceberg.merge_here import merge_here, replace_part_here
from lakehouse.iceberg.table import IcebergTable
from lakehouse.paths import engine_column, quote
from lakehouse.registry.transformers import Transformer
from lakehouse.silver.books import by_spark

_ROWS = engine_column("rows")
#: What the driver writes at the most: rows that a rebuild makes, and bytes of a table that is rebuilt whole.
_FEW_ROWS, _FEW_BYTES = 500_000, 32 * 2**20


def write_gold(
    result: DataFrame,
    transformer: Transformer,
    lake: Lake,
    target: IcebergTable | None,
    properties: Mapping[str, str],
    parts: Parts | None,
    *,
    little: bool,
) -> tuple[int, tuple[str, ...]]:
    """Write ``result`` as the content of a gold table, or of ``parts`` of it, in one snapshot.

    Parts that are partitions are replaced; others are merged by the grain, so that the snapshot holds true changes only.

    Args:
        target: the table as it is, with the columns of ``result``; ``None`` when it is to be made, or has other
            columns, so that it is replaced.
        little: whether ``result`` is made of little data.

    Returns:
        The snapshot's id, and what an operator should know.

    Raises:
        DataError: ``result`` has other columns than declared, or two rows share the grain; nothing is written.
    """
    _check_columns(result, transformer)
    notes = target.partition(transformer.partition_by) if target is not None else ()
    rebuilt = result if parts is None else parts.of(result)
    if target is not None and (snapshot := _write_here(rebuilt, transformer, lake, target, properties, parts)):
        return snapshot, notes
    if target is None and little and (snapshot := _replace_here(rebuilt, transformer, lake, properties)):
        return snapshot, notes
    keep = cached if parts is None or transformer.replaces_partitions else materialized
    with keep(rebuilt) as rows:
        _check_grain(rows, transformer)
        if target is None:
            name, layout = transformer.target, transformer.partition_by
            return write.replace(rows, name, lake.catalog, layout, properties), ()
        if parts is None:
            return write.overwrite(rows, target, properties), notes
        if transformer.replaces_partitions:
            return write.overwrite(rows, target, properties, parts.spelled_out(quote(parts.columns[0]))), notes
        part = parts.frame(lake.spark)
        snapshot = write.merge_part(rows, target, transformer.grain, part, properties, lake.changes)
        return snapshot, (*notes, by_spark(target.size))


def _write_here(
    rebuilt: DataFrame,
    transformer: Transformer,
    lake: Lake,
    target: IcebergTable,
    properties: Mapping[str, str],
    parts: Parts | None,
) -> int | None:
    """Write few rows by the driver; ``None``, and nothing is written, where they are not few or only Spark can."""
    if not transformer.grain or not target.is_written_here():
        return None
    if parts is None and (target.size > _FEW_BYTES or target.row_count > _FEW_ROWS):  # known before rows are made
        return None
    schema = target.arrow_schema()
    rows = rebuilt.limit(_FEW_ROWS + 1).toArrow()
    if rows.num_rows > _FEW_ROWS:
        return None
    rows = rows.select(schema.names).cast(schema).combine_chunks()
    _check_grain_here(rows, transformer)
    before = target.head
    if parts is None:
        stays = pa.repeat(pa.scalar(False), rows.num_rows)
        merged = merge_here(rows, stays, target, transformer.grain, properties, mirror=True)
    else:
        merged = replace_part_here(rows, parts.values, target, transformer.grain, properties)
    if merged is None:
        return None
    lake.changes.record(target, before or 0, merged.snapshot, merged.changed)
    return merged.snapshot


def _replace_here(
    rebuilt: DataFrame, transformer: Transformer, lake: Lake, properties: Mapping[str, str]
) -> int | None:
    """Make a table of few rows by the driver; ``None``, and nothing is written, where they are not few or only Spark can."""
    columns = {field.name: held_as(field.dataType.simpleString()) for field in rebuilt.schema.fields}
    if not transformer.grain or not all(map(has_arrow_type, columns.values())):
        return None
    rows = rebuilt.limit(_FEW_ROWS + 1).toArrow()
    if rows.num_rows > _FEW_ROWS:
        return None
    _check_grain_here(rows, transformer)
    return write_here.replace(rows, transformer.target, columns, lake.catalog, transformer.partition_by, properties)


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
    _refuse(transformer, *found)


def _check_grain_here(rows: pa.Table, transformer: Transformer) -> None:
    grain = list(transformer.grain)
    found = rows.group_by(grain).aggregate([([], "count_all")])
    missing = reduce(pc.or_, (pc.is_null(found.column(name)) for name in grain))
    several = pc.greater(found.column("count_all"), 1)
    _refuse(transformer, *(int(pc.sum(mask).as_py() or 0) for mask in (several, missing)))


def _refuse(transformer: Transformer, several: int, missing: int) -> None:
    """Raise where combinations of the grain have ``several`` rows, or hold a NULL."""
    if several or missing:
        raise DataError(
            f"gold table {transformer.table}: {several:,} combinations of its grain ({', '.join(transformer.grain)}) "
            f"have more than one row, and {missing:,} hold a NULL; expected one row each. Gold is as it was.",
            remedy="Look for a join that multiplies rows in the transformer, or for an outer join that finds nothing.",
        )
