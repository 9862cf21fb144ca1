"""Which relations of a schema become tables of the registry, under which names, and which are left alone."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from lakehouse.errors import ConfigurationError
from lakehouse.paths import check_identifier, column_name

_LAST_PART = re.compile(r'"((?:[^"]|"")+)"$|([^".]+)$')


@dataclass(frozen=True)
class NewTable:
    """A table to register.

    Attributes:
        relation: as the registry file is to spell it.
        path: the registry file.
    """

    name: str
    relation: str
    path: Path


@dataclass(frozen=True)
class Choice:
    """The tables to register, and why other relations are left alone."""

    tables: tuple[NewTable, ...]
    left_alone: dict[str, str]


def bare_name(relation: str) -> str:
    """The name of ``relation`` at its source, without schema and quotes; of a pattern of files that of their folder."""
    if '"' not in relation and ("/" in relation or "*" in relation):
        plain = [part for part in relation.split("/")[:-1] if not re.search(r"[*?\[=]", part)]
        return plain[-1] if plain else relation.rpartition("/")[2].partition(".")[0].strip("*") or "files"
    found = _LAST_PART.search(relation)
    return relation if found is None else (found[1] or "").replace('""', '"') or found[2]


def table_name(relation: str) -> str:
    """What the lake calls ``relation``.

    Raises:
        ConfigurationError: its name cannot be one of the lake.
    """
    return check_identifier(column_name(bare_name(relation)).strip("_"), f"relation {relation}")


def matching(relations: Iterable[str], like: Sequence[str], but: Sequence[str]) -> list[str]:
    """Those of ``relations`` whose name fits a pattern of ``like`` (where there is one) and none of ``but``.

    Args:
        like, but: shell patterns: ``order*``, ``tmp_?``.
    """

    def fits(relation: str, patterns: Sequence[str]) -> bool:
        return any(fnmatch(bare_name(relation).lower(), pattern.lower()) for pattern in patterns)

    return [item for item in relations if (not like or fits(item, like)) and not fits(item, but)]


def choose(relations: Iterable[str], registry: Path, domain: str, *, overwrite: bool) -> Choice:
    """A table for each of ``relations`` in ``registry / domain``.

    Left alone are relations whose name cannot be one of the lake or is another's, and those that have a file: in this
    domain unless ``overwrite``, in another always.
    """
    tables: dict[str, NewTable] = {}
    left_alone = {}
    for relation in relations:
        try:
            name = table_name(relation)
        except ConfigurationError:
            left_alone[relation] = "its name is none of the lake; register it by a name of its own"
            continue
        path = registry / domain / f"{name}.yml"
        there = registered(name, registry)
        if name in tables:
            left_alone[relation] = f"{name} is the table of {tables[name].relation}; register it by another name"
        elif there is not None and (there != path or not overwrite):
            left_alone[relation] = f"{there.relative_to(registry.parent)} is there"
        else:
            tables[name] = NewTable(name, relation, path)
    return Choice(tuple(tables.values()), left_alone)


def registered(name: str, registry: Path) -> Path | None:
    """The file that registers source table ``name``, in whatever domain."""
    return next((file for end in ("yml", "yaml") for file in sorted(registry.glob(f"*/**/{name}.{end}"))), None)
