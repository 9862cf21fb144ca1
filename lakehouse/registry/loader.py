"""Reads a registry folder and validates it as a whole, before anything runs.

``<registry>/<domain>/*.yml`` are source tables, ``*.sql`` and ``*.py`` (below, at any depth) are transformers and models, and
``references/*.csv`` are small tables that transformers are given by name. What begins with ``_`` or ``.`` is left out; a
module may import it.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from lakehouse import yaml_file
from lakehouse.errors import ConfigurationError
from lakehouse.fingerprint import fingerprint
from lakehouse.paths import Layer, TableName, history, raw, silver
from lakehouse.registry import sql_transformers
from lakehouse.registry.models import Model
from lakehouse.registry.modules import Modules
from lakehouse.registry.tables import SourceTable
from lakehouse.registry.transformers import Transformer
from lakehouse.rules import MODEL_RULES, RULES


@dataclass(frozen=True)
class Registry:
    """All that the lakehouse holds.

    Attributes:
        tables: the source tables by name; each makes a raw and a silver table.
        transformers: the gold tables by name, those of models' scores among them.
        models: what learns from tables, by name.
    """

    folder: Path
    tables: dict[str, SourceTable]
    transformers: dict[str, Transformer]
    models: dict[str, Model] = field(default_factory=dict)

    def inputs_of(self, target: TableName) -> tuple[TableName, ...]:
        """What ``target`` is made from: tables of the lake, and of scores the model; nothing for raw."""
        match target.layer:
            case Layer.SILVER:
                return (raw(self.source_of(target).table),)
            case Layer.GOLD:
                transformer = self.transformers[target.table]
                model = (self.models[transformer.model].target,) if transformer.model else ()
                return (*transformer.reads.values(), *model)
            case Layer.MODEL:
                return tuple(self.models[target.table].reads.values())
            case _:
                return ()

    def keeps_history(self, target: TableName) -> bool:
        """Whether ``target`` holds the versions of a source table's rows, and not their current truth."""
        return target.layer is Layer.SILVER and target.table not in self.tables

    def source_of(self, target: TableName) -> SourceTable:
        """The source table that ``target``, of raw or silver, is made from."""
        found = self.tables.get(target.table)
        return found or next(table for table in self.tables.values() if history(table.table) == target)

    def domain_of(self, target: TableName) -> str:
        """The folder of the registry in which ``target`` is described."""
        if target.layer is Layer.GOLD:
            return self.transformers[target.table].domain
        if target.layer is Layer.MODEL:
            return self.models[target.table].domain
        return self.source_of(target).domain

    def targets(self) -> tuple[TableName, ...]:
        """Every table that a run makes, and every model that it trains, each after all that it reads."""
        sources = [raw(name) for name in self.tables] + [silver(name) for name in self.tables]
        sources += [history(name) for name, table in self.tables.items() if table.history]
        made = [item.target for item in self.transformers.values() if not item.model]
        for transformer in self.transformers.values():
            made += [self.models[transformer.model].target, transformer.target] if transformer.model else []
        return (*sources, *made)

    def is_learnt(self, target: TableName) -> bool:
        """Whether ``target`` is a model or a table of scores, which a run makes when it is asked for models."""
        return target.layer is Layer.MODEL or (
            target.layer is Layer.GOLD and bool(self.transformers[target.table].model)
        )


def load(folder: Path) -> Registry:
    """The registry in ``folder``.

    Raises:
        ConfigurationError: all mistakes of all files, one a line, each with file and line.
    """
    if not folder.is_dir():
        raise ConfigurationError(
            f"the registry folder {folder} is not there.",
            remedy="Set LAKEHOUSE_REGISTRY, or `registry:` in the profile.",
        )
    mistakes: list[str] = []
    tables: dict[str, SourceTable] = {}
    made_by: dict[TableName, Path] = {}
    for path in _files(folder, "*.yml", "*.yaml"):
        try:
            table = _table(path, folder)
            _claim(silver(table.table), path, made_by)
            if table.history:
                _claim(history(table.table), path, made_by)
            tables[table.table] = table
        except ConfigurationError as error:
            mistakes.append(str(error))
    transformers: dict[str, Transformer] = {}
    models: dict[str, Model] = {}
    modules = Modules(folder)
    for path in _files(folder, "*.sql", "*.py"):
        try:
            for transformer in _transformers(path, folder, modules):
                _claim(transformer.target, path, made_by)
                transformers[transformer.table] = transformer
            for model in _models(path, folder, modules):
                scores = Transformer.of_scores(model)
                _claim(model.target, path, made_by)
                _claim(scores.target, path, made_by)
                models[model.name], transformers[scores.table] = model, scores
        except ConfigurationError as error:
            mistakes.append(str(error))
    for transformer in transformers.values():
        mistakes += _unmade_inputs(transformer, made_by)
    if mistakes:
        raise ConfigurationError("\n".join(dict.fromkeys(mistakes)))  # several modules may import one that is wrong
    return Registry(folder, tables, _in_order(transformers, made_by), models)


def _files(folder: Path, *patterns: str) -> list[Path]:
    found = {path for pattern in patterns for path in folder.glob(f"*/**/{pattern}")}
    return sorted(
        path for path in found if not any(part.startswith(("_", ".")) for part in path.relative_to(folder).parts)
    )


def _table(path: Path, folder: Path) -> SourceTable:
    domain = path.relative_to(folder).parts[0]
    return yaml_file.validate(SourceTable, {"table": path.stem, "domain": domain, **yaml_file.read(path)}, path)


def _claim(target: TableName, path: Path, made_by: dict[TableName, Path]) -> None:
    if target in made_by:
        raise ConfigurationError(
            f"{path}:1: table {target.table!r} is made by {made_by[target]} already; expected one file a table.",
            remedy="Rename or remove one of the two.",
        )
    made_by[target] = path


def _transformers(path: Path, folder: Path, modules: Modules) -> Iterator[Transformer]:
    domain = path.relative_to(folder).parts[0]
    references = {file.stem: file for file in sorted((folder / domain / "references").glob("*.csv"))}
    if path.suffix == ".sql":
        found, code = [sql_transformers.load(path)], {path: path.read_bytes()}
    else:
        found = [item for item in modules.registered(path) if isinstance(item, Transformer)]
        code = {file: modules.text(file) for file in modules.code(path)}
    for transformer in found:
        used = {name: references[name] for name in transformer.parameters if name in references}
        yield replace(
            transformer,
            domain=domain,
            references=used,
            definition=_definition(transformer, path, {**code, **{file: file.read_bytes() for file in used.values()}}),
            parameters=tuple(name for name in transformer.parameters if name not in used),
        )


def _models(path: Path, folder: Path, modules: Modules) -> Iterator[Model]:
    if path.suffix != ".py":
        return
    code = {file: modules.text(file) for file in modules.code(path)}
    for model in modules.registered(path):
        if isinstance(model, Model):
            parts = [part for file, text in code.items() for part in (os.path.relpath(file, path.parent), text)]
            definition = fingerprint(model.said.model_dump_json(), str(RULES), str(MODEL_RULES), *parts)
            yield replace(model, domain=path.relative_to(folder).parts[0], definition=definition)


def _definition(transformer: Transformer, path: Path, files: dict[Path, bytes]) -> str:
    """A fingerprint of ``files``, which decide the result, and of the engine's rules. It stays when the folder moves."""
    parts = [part for file, content in files.items() for part in (os.path.relpath(file, path.parent), content)]
    return fingerprint(transformer.table, str(RULES), *parts)


def _unmade_inputs(transformer: Transformer, made_by: dict[TableName, Path]) -> Iterable[str]:
    for read in transformer.reads.values():
        if read not in made_by:
            yield (
                f"{made_by[transformer.target]}: gold table {transformer.table!r} reads {read.dotted}, which nothing "
                "makes; expected a table of silver or gold that a registry file makes."
            )


def _in_order(transformers: dict[str, Transformer], made_by: dict[TableName, Path]) -> dict[str, Transformer]:
    """``transformers``, each after those that it reads; :class:`ConfigurationError` names a cycle."""
    ordered: dict[str, Transformer] = {}
    trail: list[str] = []

    def visit(name: str) -> None:
        if name in ordered:
            return
        if name in trail:
            cycle = " -> ".join([*trail[trail.index(name) :], name])
            raise ConfigurationError(
                f"{made_by[transformers[name].target]}: gold tables read each other in a cycle: "
                f"{cycle}; expected that a table depends on none that is made from it."
            )
        trail.append(name)
        for read in transformers[name].reads.values():
            if read.layer is Layer.GOLD:
                visit(read.table)
        trail.pop()
        ordered[name] = transformers[name]

    for name in sorted(transformers):
        visit(name)
    return ordered
