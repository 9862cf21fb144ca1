"""The data dictionary: a Markdown page of all tables of silver and gold, and where gold's columns come from."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lakehouse.iceberg.metadata import LakeMetadata
from lakehouse.lineage.plan import Lineage
from lakehouse.lineage.trace import Traced, columns_of, source_column
from lakehouse.paths import Layer, TableName, silver
from lakehouse.registry.loader import Registry
from lakehouse.registry.tables import Check, Column, Load, SourceTable
from lakehouse.registry.transformers import Transformer
from lakehouse.silver.history import COLUMNS as HISTORY_COLUMNS

_BLANKS = re.compile(r"\n{3,}")
_WORD = re.compile(r"\w+")
_HISTORY = {
    "valid_from": "From when on this version of the row is valid.",
    "valid_to": "Until when, exclusive; NULL in the version that is current.",
    "is_current": "Whether no later version is known.",
}


@dataclass(frozen=True)
class _Book:
    registry: Registry
    lake: LakeMetadata
    traced: Traced


def page(registry: Registry, lake: LakeMetadata, traced: Traced) -> str:
    """The text of the page."""
    book = _Book(registry, lake, traced)
    lines = [
        "# Data dictionary",
        "",
        "Written by `lakehouse dictionary` from the registry, the lake's metadata and the plans of the transformers. Do not",
        "edit it: change the registry, and call `lakehouse dictionary` again.",
        "",
    ]
    domains = _domains(registry)
    for domain, targets in domains.items():
        lines.append(f"- [{domain}](#{domain})")
        for layer in (Layer.GOLD, Layer.SILVER):
            names = [f"[{name.table}](#{_anchor(name)})" for name in targets if name.layer is layer]
            if names:
                lines.append(f"  - {layer.value}: {', '.join(names)}")
    for domain, targets in domains.items():
        lines += ["", f"## {domain}"]
        for target in targets:
            lines += ["", f"### {target.dotted}", "", *_section(target, book)]
    return _BLANKS.sub("\n\n", "\n".join(lines)).rstrip() + "\n"


def _domains(registry: Registry) -> dict[str, list[TableName]]:
    """The tables of silver and gold by domain: gold first, since it is what is asked for."""
    found: dict[str, list[TableName]] = {}
    for target in sorted(registry.targets(), key=lambda name: (name.layer is not Layer.GOLD, name.table)):
        if target.layer in {Layer.RAW, Layer.MODEL}:
            continue
        makes = registry.transformers[target.table] if target.layer is Layer.GOLD else registry.source_of(target)
        found.setdefault(makes.domain, []).append(target)
    return dict(sorted(found.items()))


def _anchor(name: TableName) -> str:
    """The anchor of a section, as Markdown makes it of a heading."""
    return name.dotted.replace(".", "")


def _section(target: TableName, book: _Book) -> Iterator[str]:
    if target.layer is Layer.GOLD:
        yield from _gold(book.registry.transformers[target.table], book)
    else:
        yield from _silver(target, book.registry.source_of(target), book)


def _silver(target: TableName, table: SourceTable, book: _Book) -> Iterator[str]:
    history = book.registry.keeps_history(target)
    if history:
        current = silver(table.table)
        yield f"Every version of the rows of [{current.dotted}](#{_anchor(current)}), and when it was valid."
    elif table.description:
        yield table.description
    yield ""
    yield f"- **Source**: `{table.source.connection} {table.source.relation}`"
    key = ", ".join(table.key) or "the source's primary key"
    yield f"- **Grain**: one row for each {f'version of {key}' if history else key}"
    yield from _layout(table.partition_by, table.sort_by)
    yield f"- **Loaded**: {_loaded(table)}"
    checks = [f"`{rule.name}`: {_said(rule)}" for rule in table.checks]
    if checks:
        yield f"- **Checks**: {'; '.join(checks)}"
    columns = columns_of(target, book.registry, book.lake)
    if book.lake.find(target) is None:
        yield "- **Not in the lake yet**: columns are those that the registry gives a type."
    yield ""
    rows = [_silver_row(name, kind, table, history=history) for name, kind in columns.items()]
    yield from _table(("Column", "Type", "Description", "Personal data", "Checks", "Source column"), rows)


def _silver_row(name: str, kind: str, table: SourceTable, *, history: bool) -> tuple[str, ...]:
    declared = table.columns.get(name, Column())
    if history and name in HISTORY_COLUMNS:
        origin = "" if name == "is_current" else f"`{source_column(table, str(table.cursor))}`"
        return f"`{name}`", kind, _HISTORY[name], "", "", origin
    policy = "" if declared.pii is None else str(declared.pii)
    about = [rule.name for rule in table.checks if name in _WORD.findall(rule.expect)]
    required = ["required"] if not declared.nullable or name in table.key else []
    return (
        f"`{name}`",
        kind,
        declared.description,
        policy,
        ", ".join([*required, *about]),
        f"`{source_column(table, name)}`",
    )


def _loaded(table: SourceTable) -> str:
    if table.load is Load.FULL:
        return "in full, when the source changed"
    if table.load is Load.ARRIVALS:
        gone = "stay" if table.deletes.detect == "never" else "leave"
        return f"what arrived since; rows of what is gone {gone}"
    deletes = "deletes are not looked for" if table.deletes.detect == "never" else "deletes by comparing keys"
    return f"what changed, by `{table.cursor}`; {deletes}"


def _said(rule: Check) -> str:
    return f"{rule.description or f'`{rule.expect}`'} ({rule.on_failure})".replace("|", "\\|")


def _gold(transformer: Transformer, book: _Book) -> Iterator[str]:
    if transformer.description:
        yield transformer.description
        yield ""
    reads = [f"[{read.dotted}](#{_anchor(read)})" for read in transformer.reads.values()]
    yield f"- **Made from**: {', '.join([*reads, *(f'`{path.name}`' for path in transformer.references.values())])}"
    yield f"- **Grain**: {', '.join(transformer.grain) or 'rows may be alike'}"
    yield from _layout(transformer.partition_by, ())
    yield f"- **Rebuilt**: {_rebuilt(transformer)}"
    found = book.traced.tables.get(transformer.table)
    if found is None:
        why = book.traced.unknown.get(transformer.table, "")
        yield f"- **Lineage not known**: {_cell(why)}"
        yield ""
        metadata = book.lake.find(transformer.target)
        types = metadata.columns if metadata else dict.fromkeys(transformer.columns, "")
        yield from _table(
            ("Column", "Type", "Definition"),
            [(f"`{name}`", kind, transformer.columns.get(name, "")) for name, kind in types.items()],
        )
        return
    if found.rows:
        yield f"- **Which rows there are** depends on: {_codes(map(str, found.rows), ', ')}"
    yield ""
    yield from _table(
        ("Column", "Type", "Definition", "Read from", "Source columns"), _gold_rows(transformer, found, book)
    )


def _gold_rows(transformer: Transformer, found: Lineage, book: _Book) -> Iterator[tuple[str, ...]]:
    for name, kind in found.types.items():
        origins = found.columns[name]
        sources = sorted({source for origin in origins for source in book.traced.sources(origin)})
        yield (
            f"`{name}`",
            kind,
            transformer.columns.get(name, ""),
            _codes(map(str, origins)),
            _codes(_grouped(sources)),
        )


def _grouped(sources: Iterable[str]) -> list[str]:
    """The source's columns, those of one relation together."""
    found: dict[str, list[str]] = {}
    for source in sources:
        relation, _, column = source.rpartition(".")
        found.setdefault(relation, []).append(column)
    return [f"{relation}.{columns[0]}" if len(columns) == 1 else f"{relation}: {', '.join(columns)}"
            for relation, columns in found.items()]  # fmt: skip


def _rebuilt(transformer: Transformer) -> str:
    if not transformer.rebuild_by:
        return "whole, when an input changed"
    by = ", ".join(transformer.rebuild_by)
    followed = [transformer.reads[name].dotted for name in transformer.reads if name in transformer.followed]
    others = [read.dotted for name, read in transformer.reads.items() if name not in transformer.followed]
    whole = f"; whole when {', '.join(others)} changed" if others else ""
    return f"in part, by {by}, where rows of {', '.join(followed)} changed{whole}"


def _layout(partition_by: tuple[str, ...], sort_by: tuple[str, ...]) -> Iterator[str]:
    if partition_by:
        yield f"- **Partitioned by**: {_codes(partition_by, ', ')}"
    if sort_by:
        yield f"- **Sorted by**: {_codes(sort_by, ', ')}"


def _codes(texts: Iterable[str], between: str = "<br>") -> str:
    return between.join(f"`{text}`" for text in texts)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """A Markdown table, without the columns that no row fills."""
    cells = [tuple(map(_cell, row)) for row in rows]
    used = [number for number in range(len(head)) if any(row[number] for row in cells)]
    if not cells:
        return
    yield _line(head[number] for number in used)
    yield _line("---" for _ in used)
    for row in cells:
        yield _line(row[number] for number in used)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
