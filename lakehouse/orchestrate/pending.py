"""What would change in the lake if the registry as it stands were applied: from metadata alone, before anything runs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from lakehouse.errors import ConfigurationError, DataError
from lakehouse.gold.rebuild import definition_with, parameters_of
from lakehouse.iceberg.consumed import last_consumed
from lakehouse.iceberg.metadata import LakeMetadata, TableMetadata
from lakehouse.iceberg.partitioning import alike, normal
from lakehouse.orchestrate.change import Change, Kind
from lakehouse.paths import Layer, TableName, quarantine, raw
from lakehouse.raw.declared import declared_changes, stops
from lakehouse.raw.state import last_state
from lakehouse.registry.loader import Registry
from lakehouse.registry.tables import Column, Pii, SourceTable
from lakehouse.registry.transformers import Transformer
from lakehouse.silver.contract import SilverShape, shape
from lakehouse.silver.definition import definition_of
from lakehouse.silver.history import COLUMNS as HISTORY_COLUMNS

_UNKNOWN = "as at the source"


#: Kinds after which the rows of a table may be others, so that tables made from it follow.
_MAKES_ROWS = {Kind.NEW, Kind.COLUMNS, Kind.READ, Kind.CONTRACT, Kind.TRANSFORMER, Kind.DOWNSTREAM}


@dataclass
class _Plan:
    registry: Registry
    lake: LakeMetadata
    parameters: Mapping[str, str]
    pseudonym_key: bytes | None = None
    rebuilt: set[TableName] = field(default_factory=set)


def changes(
    registry: Registry, lake: LakeMetadata, parameters: Mapping[str, str], pseudonym_key: bytes | None = None
) -> list[Change]:
    """What a run would change besides bringing new rows, in the order in which it would.

    Args:
        parameters: the profile's, which transformers are given.
        pseudonym_key: the profile's.
    """
    plan = _Plan(registry, lake, parameters, pseudonym_key)
    found: list[Change] = []
    for target in registry.targets():
        mine = list(_of(target, plan))
        found += mine
        if any(change.kind in _MAKES_ROWS for change in mine):
            plan.rebuilt.add(target)
    return found + list(_unmade(plan))


def _of(target: TableName, plan: _Plan) -> Iterator[Change]:
    if target.layer is Layer.MODEL:
        return  # whether it is trained, its data says
    metadata = plan.lake.find(target)
    match target.layer:
        case Layer.RAW:
            yield from _raw(plan.registry.tables[target.table], target, metadata)
        case Layer.SILVER:
            yield from _silver(target, metadata, plan)
        case Layer.GOLD:
            yield from _gold(plan.registry.transformers[target.table], metadata, plan)


def _raw(table: SourceTable, target: TableName, metadata: TableMetadata | None) -> Iterator[Change]:
    if metadata is None:
        yield Change(target.dotted, Kind.NEW, f"loaded from {table.source.connection}: {table.source.relation}")
        return
    state = last_state(metadata)
    if state is None or not (changes := declared_changes(table, state)):
        return
    said = "; ".join(changes)
    if stops(table, state):
        yield Change(target.dotted, Kind.STOPS, f"{said}; a table with history keeps its key")
    else:
        yield Change(target.dotted, Kind.READ, f"all rows are read again: {said}")


def _silver(target: TableName, metadata: TableMetadata | None, plan: _Plan) -> Iterator[Change]:
    table = plan.registry.source_of(target)
    source = plan.lake.find(raw(table.table))
    state = last_state(source)
    if source is None or state is None:
        if metadata is None:
            names = [name for name, declared in table.columns.items() if _is_published(declared)]
            yield Change(target.dotted, Kind.NEW, f"columns as at the source{_declared(names)}")
        return
    awaited = _awaited(table, source)
    try:
        expected = shape(table, {**source.columns, **awaited}, table.key if _has_key(table, source) else state.key)
    except DataError as error:
        yield Change(target.dotted, Kind.STOPS, str(error))
        return
    columns = expected.published(table)
    if plan.registry.keeps_history(target):
        columns |= HISTORY_COLUMNS
    if metadata is None:
        yield Change(target.dotted, Kind.NEW, f"columns {', '.join(columns)}")
        return
    yield from _columns(target, metadata.columns, columns)
    yield from _layout(target, metadata, table.partition_by, table.sort_by)
    yield from _contract(target, metadata, table, expected, plan)


def _is_published(declared: Column) -> bool:
    return declared.pii not in {Pii.EXCLUDE, Pii.DROP} and not declared.dropped


def _declared(names: list[str]) -> str:
    return f"; the registry names {', '.join(names)}" if names else ""


def _awaited(table: SourceTable, source: TableMetadata) -> dict[str, str]:
    """Columns that the registry names and raw does not have yet: the next load brings them, or stops."""
    return {
        name: declared.type or _UNKNOWN
        for name, declared in table.columns.items()
        if name not in source.columns and declared.pii is not Pii.EXCLUDE and not declared.dropped
    }


def _has_key(table: SourceTable, source: TableMetadata) -> bool:
    """Whether the registry gives a key in the lake's spelling; raw knows the one that it was loaded with."""
    return bool(table.key) and set(table.key) <= set(source.columns)


def _columns(target: TableName, metadata: Mapping[str, str], expected: Mapping[str, str]) -> Iterator[Change]:
    gained = [f"gains {name} ({kind})" for name, kind in expected.items() if name not in metadata]
    lost = [f"loses {name}" for name in metadata if name not in expected]
    changed = [
        f"{name} becomes {expected[name]}, was {kind}"
        for name, kind in metadata.items()
        if expected.get(name, kind) != kind
    ]
    if gained or lost or changed:
        yield Change(target.dotted, Kind.COLUMNS, "; ".join([*gained, *lost, *changed]))


def _layout(
    target: TableName, metadata: TableMetadata, partition_by: tuple[str, ...], sort_by: tuple[str, ...] | None = None
) -> Iterator[Change]:
    expected = [normal(item) for item in partition_by]
    if not alike(expected, metadata.partition_by):
        yield Change(
            target.dotted, Kind.LAYOUT, f"partitioned by {_list(expected)}, was by {_list(metadata.partition_by)}"
        )
    if sort_by is not None and sort_by != metadata.sort_by:
        yield Change(target.dotted, Kind.LAYOUT, f"sorted by {_list(sort_by)}, was by {_list(metadata.sort_by)}")


def _list(names: list[str] | tuple[str, ...]) -> str:
    return ", ".join(names) or "nothing"


def _contract(
    target: TableName, metadata: TableMetadata, table: SourceTable, expected: SilverShape, plan: _Plan
) -> Iterator[Change]:
    before = last_consumed(metadata)
    if before is None:
        yield Change(target.dotted, Kind.CONTRACT, "rebuilt from raw: it is not known what it was made from")
    elif before.definition != definition_of(table, expected, plan.pseudonym_key):
        why = "its columns, their policies or types, its checks, its key or the key of pseudonyms changed"
        yield Change(target.dotted, Kind.CONTRACT, f"rebuilt from raw: {why}")


def _gold(transformer: Transformer, metadata: TableMetadata | None, plan: _Plan) -> Iterator[Change]:
    target = transformer.target
    reads = ", ".join(read.dotted for read in transformer.reads.values())
    try:
        given = parameters_of(transformer, plan.parameters)
    except ConfigurationError as error:
        yield Change(target.dotted, Kind.STOPS, str(error))
        return
    if metadata is None:
        yield Change(target.dotted, Kind.NEW, f"made from {reads or 'no other table'}")
        return
    if transformer.columns:
        gained = [f"gains {name}" for name in transformer.columns if name not in metadata.columns]
        lost = [f"loses {name}" for name in metadata.columns if name not in transformer.columns]
        if gained or lost:
            yield Change(target.dotted, Kind.COLUMNS, "; ".join([*gained, *lost]))
    yield from _layout(target, metadata, transformer.partition_by)
    if transformer.model:
        return  # it follows the champion, which may be another one by then
    before = last_consumed(metadata)
    if before is None or before.definition != definition_with(transformer, given):
        why = "it is not known what it was made by" if before is None else "the transformer or what it is given changed"
        yield Change(target.dotted, Kind.TRANSFORMER, f"rebuilt whole: {why}")
        return
    causes = sorted({read.dotted for read in transformer.reads.values() if read in plan.rebuilt})
    if causes:
        detail = f"rebuilt in part or whole by what changes in {', '.join(causes)}"
        yield Change(target.dotted, Kind.DOWNSTREAM, detail)


def _unmade(plan: _Plan) -> Iterator[Change]:
    """Tables of the lake that no registry file makes."""
    made = {*plan.registry.targets(), *(quarantine(name) for name in plan.registry.tables)}
    for layer in (Layer.RAW, Layer.SILVER, Layer.QUARANTINE, Layer.GOLD):
        for name in plan.lake.tables(layer):
            if name not in made:
                yield Change(name.dotted, Kind.UNMADE, "no longer made; kept; drop it by hand")
