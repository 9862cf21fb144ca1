"""Gold: what transformers make of silver, rebuilt only where changed rows touch it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import pyarrow.csv
from pyspark.sql import DataFrame, Row

from lakehouse.errors import ConfigurationError
from lakehouse.iceberg.table import IcebergTable
from lakehouse.ingest.load import Lake, Window
from lakehouse.publish.gold import Part, write_gold
from lakehouse.registry.transformers import Transformer, fingerprint
from lakehouse.transform.changes import changed_rows
from lakehouse.transform.consumed import Consumed, last_consumed, since
from lakehouse.transform.silver import Transformed

#: With more values than this to rebuild, a whole rebuild reads less and says it in fewer words.
_MOST_PARTS = 2_000


@dataclass(frozen=True)
class _Inputs:
    """The tables that a transformer reads, as they are now, pinned to their snapshots."""

    tables: Mapping[str, IcebergTable]
    heads: Mapping[str, int]
    frames: Mapping[str, DataFrame]


def to_gold(
    transformer: Transformer,
    lake: Lake,
    parameters: Mapping[str, str],
    *,
    run_id: str,
    window: Window | None = None,
    full_refresh: bool = False,
) -> Transformed:
    """Bring the gold table of ``transformer`` up to date with its inputs.

    Args:
        parameters: the profile's; those that the transformer asks for are given to it.
        window: days to rebuild whether or not anything touched them.

    Raises:
        ConfigurationError: the profile lacks a parameter.
        DataError: the result breaks the declared grain.
    """
    given = _parameters(transformer, parameters)
    inputs = _inputs(transformer, lake)
    now = Consumed(
        {transformer.reads[name].dotted: head for name, head in inputs.heads.items()},
        fingerprint(transformer.definition, repr(sorted(given.items()))),
    )
    target = lake.catalog.find(transformer.target)
    before = last_consumed(target)
    if before == now and not full_refresh and window is None:
        return Transformed(transformer.table)
    parts = None if full_refresh else _parts(transformer, lake, inputs, before, now, window)
    properties = now.properties(run_id)
    if parts is not None and not parts and target is not None:
        return Transformed(transformer.table, snapshot=target.append([], properties))
    references = {
        name: lake.spark.createDataFrame(pyarrow.csv.read_csv(path)) for name, path in transformer.references.items()
    }
    result = transformer.function(**inputs.frames, **given, **references)
    part = Part(transformer.rebuild_by, parts) if parts is not None else None
    snapshot = write_gold(result, transformer, lake, properties, part)
    note = f"{len(parts)} {', '.join(transformer.rebuild_by)} rebuilt" if parts is not None else "rebuilt whole"
    return Transformed(transformer.table, snapshot=snapshot, notes=(note,))


def _parameters(transformer: Transformer, parameters: Mapping[str, str]) -> dict[str, str]:
    missing = [name for name in transformer.parameters if name not in parameters]
    if missing:
        raise ConfigurationError(
            f"gold table {transformer.table}: its transformer asks for {', '.join(missing)}, which is neither a "
            f"parameter of the profile nor a file of the domain's references/.",
            remedy="Add it under `parameters:` in the profile, or add the reference file.",
        )
    return {name: parameters[name] for name in transformer.parameters}


def _inputs(transformer: Transformer, lake: Lake) -> _Inputs:
    tables, heads, frames = {}, {}, {}
    for name, read in transformer.reads.items():
        table = lake.catalog.get(read)
        head = table.head
        reader = lake.spark.read if head is None else lake.spark.read.option("versionAsOf", head)
        tables[name], heads[name], frames[name] = table, head or 0, reader.table(str(read))
    return _Inputs(tables, heads, frames)


def _parts(
    transformer: Transformer, lake: Lake, inputs: _Inputs, before: Consumed | None, now: Consumed, window: Window | None
) -> list[Row] | None:
    """The values of ``rebuild_by`` to rebuild; ``None`` when only a whole rebuild is right."""
    if transformer.touched is None or before is None or before.definition != now.definition:
        return None
    changed: dict[str, DataFrame] = {}
    for name, table in inputs.tables.items():
        known = before.inputs.get(table.name.dotted)
        if known == inputs.heads[name]:
            continue
        if not known or since(table, known) is None:
            return None
        changed[name] = changed_rows(lake.spark, table.name, known, inputs.heads[name])
    parts: set[Row] = set()
    if changed:
        touched = transformer.touched(changed, inputs.frames).select(*transformer.rebuild_by).distinct()
        parts.update(touched.dropna().limit(_MOST_PARTS + 1).collect())
    parts.update(_days(transformer, window))
    return None if len(parts) > _MOST_PARTS else sorted(parts, key=str)


def _days(transformer: Transformer, window: Window | None) -> list[Row]:
    """The days of ``window``, for a table that is rebuilt by day."""
    if window is None or len(transformer.rebuild_by) != 1:
        return []
    first, last = window.start.date(), (window.end - timedelta(microseconds=1)).date()
    make = Row(transformer.rebuild_by[0])
    return [make(first + timedelta(days=number)) for number in range((last - first).days + 1)]
