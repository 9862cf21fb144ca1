"""Gold: what transformers make of silver, rebuilt only where changed rows touch it."""

from collections.abc import Mapping

import pyarrow.csv
from pyspark.sql import DataFrame

from lakehouse.errors import ConfigurationError
from lakehouse.fingerprint import fingerprint
from lakehouse.gold.inputs import Inputs, inputs_of, rows_at
from lakehouse.gold.parts import Parts, changed_inputs, narrowed, touched
from lakehouse.gold.write import write_gold
from lakehouse.iceberg.arrow_types import held_as
from lakehouse.iceberg.consumed import Consumed, last_consumed
from lakehouse.iceberg.lake import Lake
from lakehouse.iceberg.properties import codec_of
from lakehouse.iceberg.table import IcebergTable
from lakehouse.paths import Layer
from lakehouse.raw.request import Window
from lakehouse.registry.transformers import OWN, PARTS, Transformer
from lakehouse.silver.books import Transformed
from lakehouse.spark import bytes_read, frame_of, make_active, plan


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
        DataError: the result breaks the declared grain, or has other columns than declared.
    """
    given = parameters_of(transformer, parameters)
    target = lake.catalog.find(transformer.target)
    before = last_consumed(target)
    inputs = inputs_of(transformer, lake, before)
    now = Consumed(
        {transformer.reads[name].dotted: head for name, head in inputs.heads.items()},
        definition_with(transformer, given),
    )
    same = before is not None and before.definition == now.definition and not full_refresh
    if before and same and window is None and not changed_inputs(inputs, before):
        return Transformed(transformer.table)
    parts = touched(transformer, lake, inputs, before, window, target) if before and same and target else None
    properties = now.properties(run_id)
    if target is not None and parts is not None and not len(parts):
        return Transformed(transformer.table, snapshot=target.append([], properties))
    result, little = _result(transformer, lake, inputs, given, target, parts)
    if parts is not None and not _fits(result, target):
        parts = None
        result, little = _result(transformer, lake, inputs, given, target, parts)
    fitting = target if _fits(result, target) else None
    snapshot, notes = write_gold(result, transformer, lake, fitting, properties, parts, little=little)
    note = f"{len(parts)} {', '.join(transformer.rebuild_by)} rebuilt" if parts is not None else "rebuilt whole"
    return Transformed(transformer.table, snapshot=snapshot, notes=(note, *notes))


def definition_with(transformer: Transformer, given: Mapping[str, str]) -> str:
    """A fingerprint of the transformer and its parameters: when it changes, the table is rebuilt whole."""
    return fingerprint(transformer.definition, repr(sorted(given.items())))


def parameters_of(transformer: Transformer, parameters: Mapping[str, str]) -> dict[str, str]:
    """Those of the profile's ``parameters`` that the transformer asks for."""
    missing = [name for name in transformer.parameters if name not in parameters]
    if missing:
        raise ConfigurationError(
            f"gold table {transformer.table}: its transformer asks for {', '.join(missing)}, which is neither a "
            f"parameter of the profile nor a file of the domain's references/.",
            remedy="Add it under `parameters:` in the profile, or add the reference file.",
        )
    return {name: parameters[name] for name in transformer.parameters}


def _result(
    transformer: Transformer,
    lake: Lake,
    inputs: Inputs,
    given: Mapping[str, str],
    target: IcebergTable | None,
    parts: Parts | None,
) -> tuple[DataFrame, bool]:
    """What the transformer makes of its inputs, as far as ``parts`` need it, and whether it is made of little data."""
    plan(lake.spark, 0 if parts is not None else sum(table.size for table in inputs.tables.values()))
    make_active(lake.spark)  # for a transformer that takes no session from its inputs
    wanted: dict[str, DataFrame | None] = dict.fromkeys(transformer.wants)
    if parts is not None and target is not None:
        wanted |= {PARTS: parts.frame(lake.spark)} if PARTS in wanted else {}
        wanted |= {OWN: rows_at(lake, target, target.head or 0)} if OWN in wanted else {}
    rows = narrowed(transformer, inputs, parts)
    made = transformer.function(**rows, **given, **_references(transformer, lake), **wanted)
    return made, plan(lake.spark, bytes_read(made))


def _references(transformer: Transformer, lake: Lake) -> dict[str, DataFrame]:
    return {name: frame_of(lake.spark, pyarrow.csv.read_csv(path)) for name, path in transformer.references.items()}


def _fits(result: DataFrame, target: IcebergTable | None) -> bool:
    """Whether ``target`` has just the columns of ``result``, and files as they are written now."""
    if target is None or target.codec != codec_of(Layer.GOLD):
        return False
    columns = {field.name: held_as(field.dataType.simpleString()) for field in result.schema.fields}
    return {field.name: field.lake_type for field in target.fields} == columns
