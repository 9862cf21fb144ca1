"""What a run does, in which order: from the registry alone, before anything starts."""

from collections.abc import Collection, Iterable, Sequence

from lakehouse.errors import ConfigurationError, suggest
from lakehouse.paths import Layer, TableName
from lakehouse.registry.loader import Registry

LAYERS = (Layer.RAW, Layer.SILVER, Layer.GOLD)


def select(
    registry: Registry,
    tables: Collection[str] = (),
    layers: Collection[Layer] = (),
    domains: Collection[str] = (),
    *,
    models: bool = False,
) -> list[TableName]:
    """The tables to make: those named, of the domains named, in the layers named; all where none is.

    Args:
        models: whether models and their scores are made without being named.

    Raises:
        ConfigurationError: a table that no registry file makes, or a domain without any.
    """
    there = {registry.domain_of(target) for target in registry.targets()}
    for name in domains:
        if name not in there:
            raise ConfigurationError(
                f"--domains: the registry {registry.folder} has no domain {name!r}. {suggest(name, sorted(there))}"
            )
    known = {*registry.tables, *registry.transformers, *registry.models}
    for name in tables:
        if name not in known:
            raise ConfigurationError(
                f"--tables: the registry {registry.folder} makes no table {name!r}. {suggest(name, sorted(known))}"
            )
    return [
        target
        for target in registry.targets()
        if (_name(registry, target) in tables if tables else models or not registry.is_learnt(target))
        and (not layers or target.layer in layers)
        and (not domains or registry.domain_of(target) in domains)
    ]


def _name(registry: Registry, target: TableName) -> str:
    """The name by which a person asks for ``target``: a history comes with its table."""
    return registry.source_of(target).table if target.layer is Layer.SILVER else target.table


def waves(registry: Registry, targets: Iterable[TableName]) -> list[list[TableName]]:
    """``targets`` in groups: each table's inputs stand in earlier groups, or are not a part of the run."""
    level: dict[TableName, int] = {}
    for target in targets:
        level[target] = 1 + max((level[read] for read in registry.inputs_of(target) if read in level), default=-1)
    groups: list[list[TableName]] = [[] for _ in range(max(level.values(), default=-1) + 1)]
    for target, depth in level.items():
        groups[depth].append(target)
    return groups


def blocked_by(registry: Registry, target: TableName, failed: Collection[TableName]) -> TableName | None:
    """The first input of ``target`` that failed or was itself skipped."""
    return next((read for read in registry.inputs_of(target) if read in failed), None)


def describe(registry: Registry, groups: Sequence[Sequence[TableName]]) -> list[dict[str, str]]:
    """A row for each table of a plan, for people: its step, its layer and how it is made."""
    rows = []
    for number, group in enumerate(groups, start=1):
        for target in group:
            rows.append({"step": str(number), "table": target.dotted, "how": _how(registry, target)})
    return rows


def _how(registry: Registry, target: TableName) -> str:
    if target.layer is Layer.RAW:
        table = registry.tables[target.table]
        by = f" by {table.follows}" if table.follows else ""
        return f"{table.load}{by} from {table.source.connection}: {table.source.relation}"
    reads = ", ".join(read.dotted for read in registry.inputs_of(target))
    if target.layer is Layer.SILVER:
        return f"{'versions' if registry.keeps_history(target) else 'merge'} of {reads}"
    if target.layer is Layer.MODEL:
        return f"trained where due on {reads}"
    if registry.is_learnt(target):
        return f"scored by its champion from {reads}"
    parts = registry.transformers[target.table].rebuild_by
    return f"{'rebuilt by ' + ', '.join(parts) if parts else 'rebuilt whole'} from {reads}"
