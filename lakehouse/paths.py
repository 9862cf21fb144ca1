"""The path manager: the only place that spells the name of a table, a layer or a column of the lake.

Names reach SQL and object-store paths, so each is checked here before it is spelled.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from lakehouse.errors import ConfigurationError
from lakehouse.quoting.spark import quote as quote  # noqa: PLC0414  (whoever spells tables spells columns)

CATALOG = "iceberg"
_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,127}")


class Layer(StrEnum):
    """The namespaces of the lake, in the direction that data flows."""

    RAW = "raw"
    SILVER = "silver"
    GOLD = "gold"
    QUARANTINE = "quarantine"
    OPS = "ops"
    MODEL = "model"  # no namespace: versions of models stand in a store of their own


def check_identifier(name: str, what: str) -> str:
    """Return ``name`` if it may name a table; raise :class:`ConfigurationError` otherwise."""
    if not _IDENTIFIER.fullmatch(name):
        raise ConfigurationError(
            f"{what}: {name!r} is not a valid name; expected lower-case letters, digits and underscores, "
            "beginning with a letter ([a-z][a-z0-9_]*).",
            remedy="Choose such a name; the relation at the source may be called anything.",
        )
    return name


@dataclass(frozen=True)
class TableName:
    """A table of the lake. ``str()`` gives it quoted for Spark SQL."""

    layer: Layer
    table: str

    def __post_init__(self) -> None:
        check_identifier(self.table, f"a table of layer {self.layer}")

    def __str__(self) -> str:
        return ".".join(quote(part) for part in (CATALOG, self.layer.value, self.table))

    @property
    def dotted(self) -> str:
        """``layer.table``, as people, logs and snapshot properties write it."""
        return f"{self.layer.value}.{self.table}"

    @classmethod
    def parse(cls, dotted: str) -> "TableName":
        """The inverse of :attr:`dotted`."""
        layer, _, table = dotted.partition(".")
        if layer not in {known.value for known in Layer}:
            raise ConfigurationError(
                f"table {dotted!r}: there is no layer {layer!r}; the layers are "
                f"{', '.join(known.value for known in Layer)}.",
                remedy="Write layer.table.",
            )
        return cls(Layer(layer), table)


def raw(table: str) -> TableName:
    return TableName(Layer.RAW, table)


def silver(table: str) -> TableName:
    return TableName(Layer.SILVER, table)


def history(table: str) -> TableName:
    """Where the versions of a silver table's rows stand."""
    return TableName(Layer.SILVER, f"{table}_history")


def gold(table: str) -> TableName:
    return TableName(Layer.GOLD, table)


def quarantine(table: str) -> TableName:
    return TableName(Layer.QUARANTINE, table)


def ops(table: str) -> TableName:
    return TableName(Layer.OPS, table)


def column_name(source_name: str) -> str:
    """The lake's name for a source column: lower case, anything but letters, digits and ``_`` becomes ``_``.

    Letters of any script stay. DuckDB and Spark compare names without case, so ``"OrderID"`` is still found.
    """
    composed = unicodedata.normalize("NFC", source_name).lower()
    name = re.sub(r"_{2,}", "_", re.sub(r"\W", "_", composed)) if re.search(r"\W", composed) else composed
    if name.strip("_") == "":
        return "column"
    return f"c{name}" if name[0].isdigit() else name


#: The columns that the engine adds to a table; a source column of such a name gets a suffix.
ENGINE_COLUMNS = ("_run_id", "_ingested_at", "_op", "_misfits")

#: The columns of rows that arrive, where their source has such a thing: the file that they came in, by which version of it,
#: and in which line or record; or the partition of a topic, and the offset there; and a number that grows with each row that
#: arrives.
ORIGIN, VERSION, LINE, ORDER = "source_file", "source_version", "source_line", "source_order"
PARTITION, OFFSET = "source_partition", "source_offset"
ARRIVAL_COLUMNS = (ORIGIN, LINE, PARTITION, OFFSET, VERSION, ORDER)


def engine_column(name: str) -> str:
    """A name for a column that the engine adds to rows while it works: no table can have it (see :func:`column_name`)."""
    return f"{name}#"


def column_names(source_names: Iterable[str]) -> list[str]:
    """Lake names for the columns of one relation, in order and without collisions (``a``, ``a_2``, …).

    A name that needs no change keeps it, so that adding a column never renames another.
    """
    sources = list(source_names)
    wanted = [column_name(source) for source in sources]
    taken = set(ENGINE_COLUMNS)
    names: dict[int, str] = {}
    for position, (source, name) in enumerate(zip(sources, wanted, strict=True)):
        if source == name and name not in taken:
            names[position] = name
            taken.add(name)
    for position, name in enumerate(wanted):
        if position in names:
            continue
        candidate, suffix = name, 2
        while candidate in taken:
            candidate, suffix = f"{name}_{suffix}", suffix + 1
        names[position] = candidate
        taken.add(candidate)
    return [names[position] for position in range(len(sources))]
