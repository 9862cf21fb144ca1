"""What a new mart may read: tables of silver and gold, with the columns that are known of them."""

from collections.abc import Sequence

from lakehouse.errors import ConfigurationError, suggest
from lakehouse.iceberg.metadata import LakeMetadata
from lakehouse.paths import Layer, raw
from lakehouse.raw.state import last_state
from lakehouse.registry.loader import Registry
from lakehouse.scaffold.mart import Input
from lakehouse.silver.privacy import published_type


def inputs(registry: Registry, lake: LakeMetadata, reads: Sequence[str]) -> list[Input]:
    """The tables ``reads`` (``layer.table``), with the columns that the lake has, else those that the registry names.

    Raises:
        ConfigurationError: a table that no registry file makes.
    """
    made = {name.dotted: name for name in registry.targets() if name.layer in {Layer.SILVER, Layer.GOLD}}
    found = []
    for read in reads:
        if read not in made:
            raise ConfigurationError(f"--reads: no registry file makes {read!r}. {suggest(read, sorted(made))}")
        name, held = made[read], lake.find(made[read])
        if name.layer is Layer.GOLD:
            mart = registry.transformers[name.table]
            columns, key = dict.fromkeys(mart.columns, ""), mart.grain
        else:
            table, state = registry.source_of(name), last_state(lake.find(raw(registry.source_of(name).table)))
            kinds = {column: published_type(wish.pii, wish.type or "") for column, wish in table.columns.items()}
            columns = dict.fromkeys(table.key, "") | {c: kind for c, kind in kinds.items() if kind is not None}
            key = table.key or (state.key if state else ())
        found.append(Input(name, held.columns if held else columns, key))
    return found
