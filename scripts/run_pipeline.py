#!/usr/bin/env python3
"""The master script: brings tables from their sources through raw and silver to gold.

Exit codes: 0 success; 1 the data of a table failed; 2 the configuration is wrong; 3 the system failed;
4 another run is under way.
"""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lakehouse import logs
from lakehouse.errors import ConfigurationError, LakehouseError
from lakehouse.orchestrate import pipeline, plan
from lakehouse.orchestrate.events import Event, line
from lakehouse.orchestrate.runs import DayRange, Plan
from lakehouse.orchestrate.summary import plan_table, progress_line, summary_table
from lakehouse.orchestrate.work import Work
from lakehouse.paths import Layer
from lakehouse.registry import loader
from lakehouse.settings import load_profile

console = Console(stderr=True)


def main(
    profile: Annotated[str | None, typer.Option(help="A file of conf/, without its suffix.")] = None,
    tables: Annotated[str, typer.Option(help="Only these, by name, separated by commas.")] = "",
    domains: Annotated[str, typer.Option(help="Only these folders of the registry, separated by commas.")] = "",
    layers: Annotated[str, typer.Option(help="Only these of raw, silver, gold, separated by commas.")] = "",
    start: Annotated[str, typer.Option("--from", help="Replay from this day (YYYY-MM-DD, UTC)…")] = "",
    end: Annotated[str, typer.Option("--to", help="… to this one, included.")] = "",
    full_refresh: Annotated[bool, typer.Option(help="Load everything again and replace what is there.")] = False,
    dry_run: Annotated[bool, typer.Option(help="Print the plan and start nothing.")] = False,
    resume: Annotated[bool, typer.Option(help="Go on with the last run, if it did not succeed.")] = False,
    isolate: Annotated[bool, typer.Option(help="Give each table a Spark application of its own.")] = False,
    accept_deletes: Annotated[
        str, typer.Option(help="Tables whose vanished rows are meant, separated by commas.")
    ] = "",
    json_lines: Annotated[bool, typer.Option("--json", help="Print JSON lines instead of text.")] = False,
    verbose: Annotated[bool, typer.Option(help="Show what Spark prints, too.")] = False,
) -> None:
    """Run the pipeline."""
    redaction = logs.Redaction()
    try:
        settings = load_profile(profile)
        redaction = logs.Redaction(settings.secrets())
        logs.configure(redaction, json_lines=json_lines)
        registry = loader.load(settings.registry)
        targets = plan.select(registry, _list(tables), [_layer(name) for name in _list(layers)], _list(domains))
        work = Work(
            plan=Plan(
                tables=tuple(target.dotted for target in targets),
                full_refresh=full_refresh,
                window=DayRange.parse(start, end),
                accept_deletes=_known(_list(accept_deletes), registry),
            ),
            resume=resume,
        )
        if dry_run:
            rows = plan.describe(registry, plan.waves(registry, targets))
            print(json.dumps({"event": "plan", "tables": rows})) if json_lines else Console(
                width=None if sys.stdout.isatty() else 120
            ).print(plan_table(rows))
            raise SystemExit(0)
        outcome = pipeline.run(
            work,
            settings,
            registry,
            _print_json if json_lines else _print_progress,
            isolate=isolate,
            verbose=verbose,
        )
    except LakehouseError as error:
        message = redaction.text(str(error))
        if json_lines:
            print(json.dumps({"event": "error", "message": message, "exit_code": int(error.exit_code)}))
        else:
            console.print(f"[red]{type(error).__name__}[/red]: ", end="")
            console.print(message, markup=False, highlight=False, soft_wrap=True)
        raise SystemExit(int(error.exit_code)) from None
    if not json_lines and outcome.tables:
        Console(width=None if sys.stdout.isatty() else 120).print(summary_table(outcome))
    raise SystemExit(int(outcome.code))


def _list(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


def _layer(name: str) -> Layer:
    if name not in {layer.value for layer in plan.LAYERS}:
        raise ConfigurationError(f"--layers: there is no layer {name!r}; expected some of raw, silver, gold.")
    return Layer(name)


def _known(tables: list[str], registry: loader.Registry) -> tuple[str, ...]:
    for name in tables:
        if name not in registry.tables:
            raise ConfigurationError(f"--accept-deletes: the registry has no source table {name!r}.")
    return tuple(tables)


def _print_json(event: Event) -> None:
    print(line(event), flush=True)


def _print_progress(event: Event) -> None:
    text = progress_line(event)
    if text:
        console.print(text, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    typer.run(main)
