"""`lakehouse models`: which versions of models there are, how they were judged, and their cards."""

import json
from typing import Annotated

import typer
from rich.table import Table

from lakehouse.cli.options import JsonLines, ProfileName
from lakehouse.cli.terminal import results
from lakehouse.errors import ConfigurationError, suggest
from lakehouse.learning.store import ModelStore, Version, model_store
from lakehouse.registry import loader
from lakehouse.registry.loader import Registry
from lakehouse.settings import load_profile


def models(
    name: Annotated[str | None, typer.Argument(help="A model; all when absent.")] = None,
    version: Annotated[int | None, typer.Argument(help="One of its versions: its card is shown.")] = None,
    profile: ProfileName = None,
    json_lines: JsonLines = False,
) -> None:
    """Show models: the champion of each, the versions of one, or the card of a version.

    Exit codes: 0; 1 the files of a version are gone; 2 there is no such model or version; 3 the store of models failed.
    """
    settings = load_profile(profile)
    registry, store = loader.load(settings.registry), model_store(settings)
    if version is not None and name is not None:
        typer.echo(store.card(name, _version(registry, store, name, version)), nl=False)
        return
    wanted = [_known(registry, name)] if name else list(registry.models)
    rows = [(model, found) for model in wanted for found in _shown(store, model, all_of_them=name is not None)]
    if json_lines:
        for model, found in rows:
            typer.echo(json.dumps(_event(model, found)))
    elif rows:
        results().print(_table(rows))
    else:
        typer.echo("no version yet: `lakehouse run --models` trains")


def _known(registry: Registry, name: str) -> str:
    if name not in registry.models:
        raise ConfigurationError(f"the registry has no model {name!r}. {suggest(name, list(registry.models))}")
    return name


def _version(registry: Registry, store: ModelStore, name: str, number: int) -> Version:
    versions = store.versions(_known(registry, name))
    found = next((item for item in versions if item.number == number), None)
    if found is None:
        there = ", ".join(str(item.number) for item in reversed(versions)) or "none yet"
        raise ConfigurationError(f"model {name} has no version {number}; it has: {there}.")
    return found


def _shown(store: ModelStore, model: str, *, all_of_them: bool) -> list[Version]:
    if all_of_them:
        return store.versions(model)
    champion = store.champion(model)
    return [champion] if champion else []


def _table(rows: list[tuple[str, Version]]) -> Table:
    table = Table("model", "version", "trained before", "judged until", "verdict", title="models", title_justify="left")
    for model, found in rows:
        table.add_row(model, str(found.number), str(found.since), str(found.until), found.why)
    return table


def _event(model: str, found: Version) -> dict[str, object]:
    return {
        "event": "model",
        "model": model,
        "version": found.number,
        "promoted": found.promoted,
        "since": found.since.isoformat(),
        "until": found.until.isoformat(),
        "why": found.why,
        "measures": {name: measure.value for name, measure in found.measures.items()},
        "baseline": {name: measure.value for name, measure in found.baseline.items()},
        "inputs": {table: str(snapshot) for table, snapshot in found.inputs.items()},
    }
