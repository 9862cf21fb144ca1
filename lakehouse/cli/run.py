"""`lakehouse run`: brings tables from their sources through raw and silver to gold."""

import json
from functools import partial
from typing import Annotated

import typer

from lakehouse import logs
from lakehouse.cli.options import JsonLines, ProfileName, listed
from lakehouse.cli.progress import Progress
from lakehouse.cli.terminal import ERRORS, results
from lakehouse.errors import ConfigurationError
from lakehouse.orchestrate import pipeline, plan
from lakehouse.orchestrate.events import Event, RunStarted, TableStarted, line
from lakehouse.orchestrate.runs import DayRange, Plan, TableRun
from lakehouse.orchestrate.summary import plan_table, progress_line, summary_table
from lakehouse.orchestrate.work import Work
from lakehouse.paths import Layer
from lakehouse.registry import loader
from lakehouse.settings import load_profile


def run(
    profile: ProfileName = None,
    tables: Annotated[str, typer.Option(help="Only these, by name, separated by commas.")] = "",
    domains: Annotated[str, typer.Option(help="Only these folders of the registry, separated by commas.")] = "",
    layers: Annotated[str, typer.Option(help="Only these of raw, silver, gold, separated by commas.")] = "",
    start: Annotated[str, typer.Option("--from", help="Replay from this day (YYYY-MM-DD, UTC)…")] = "",
    end: Annotated[str, typer.Option("--to", help="… to this one, included.")] = "",
    full_refresh: Annotated[
        bool, typer.Option("--full-refresh", help="Load everything again and replace what is there.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and start nothing.")] = False,
    models: Annotated[bool, typer.Option("--models", help="Train models where that is due, and score.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the last run, if it did not succeed.")] = False,
    isolate: Annotated[bool, typer.Option("--isolate", help="Give each table a Spark application of its own.")] = False,
    accept_deletes: Annotated[
        str, typer.Option(help="Tables whose vanished rows are meant, separated by commas.")
    ] = "",
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show what Spark prints, too.")] = False,
    json_lines: JsonLines = False,
) -> None:
    """Run the pipeline: bring tables from their sources through raw and silver to gold.

    Exit codes: 0 success;
    1 the data of a table failed; the others ran;
    2 the configuration is wrong; nothing ran;
    3 the system failed;
    4 another run is under way;
    130 interrupted.
    """
    if resume:
        _refuse(tables, domains, layers, start, end, full_refresh, dry_run, models)
    settings = load_profile(profile)
    logs.configure(logs.Redaction(settings.secrets()), json_lines=json_lines)
    registry = loader.load(settings.registry)
    chosen = [_layer(name) for name in listed(layers)]
    targets = plan.select(registry, listed(tables), chosen, listed(domains), models=models)
    work = Work(
        plan=Plan(
            tables=tuple(target.dotted for target in targets),
            full_refresh=full_refresh,
            window=DayRange.parse(start, end),
            accept_deletes=_known(listed(accept_deletes), registry),
        ),
        resume=resume,
    )
    if dry_run:
        rows = plan.describe(registry, plan.waves(registry, targets))
        if json_lines:
            typer.echo(json.dumps({"event": "plan", "tables": rows}))
        else:
            results().print(plan_table(rows))
        return
    if json_lines:
        outcome = pipeline.run(work, settings, registry, _print_json, isolate=isolate, verbose=verbose)
    else:
        with Progress(ERRORS) as progress:
            show = partial(_show, progress, None if resume else len(targets))
            outcome = pipeline.run(work, settings, registry, show, isolate=isolate, verbose=verbose)
        if outcome.tables:
            results().print(summary_table(outcome))
    raise typer.Exit(int(outcome.code))


def _refuse(*others: str | bool) -> None:
    """Refuse options of a run of its own beside ``--resume``, which would not heed them."""
    if any(others):
        raise ConfigurationError(
            "--resume goes on with what the failed run was asked for; found options that ask for something else.",
            remedy="Give it alone, or with --accept-deletes; or run without --resume.",
        )


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
    typer.echo(line(event))


def _show(progress: Progress, tables: int | None, event: Event) -> None:
    """Show ``event`` of a run of so many ``tables``, or of as many as it says when it starts."""
    match event:
        case RunStarted():
            progress.expect(len(event.tables) if tables is None else tables)
        case TableStarted():
            progress.start(event.table)
        case TableRun():
            progress.end(event.table)
    if text := progress_line(event):
        progress.say(text)
