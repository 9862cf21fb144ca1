"""`lakehouse plan`: what applying the registry would change in the lake."""

import json
from typing import Annotated

import typer

from lakehouse.cli.options import JsonLines, ProfileName
from lakehouse.cli.terminal import results
from lakehouse.iceberg.metadata import LakeMetadata
from lakehouse.orchestrate.pending import changes
from lakehouse.orchestrate.summary import changes_table
from lakehouse.registry import loader
from lakehouse.settings import load_profile

CHANGES = 5


def plan(
    profile: ProfileName = None,
    json_lines: JsonLines = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="End with 5 when there are changes, for a pipeline of CI.")
    ] = False,
) -> None:
    """Show what applying the registry would change in the lake. Nothing is changed.

    Exit codes: 0, or with --exit-code 5 when there are changes; 2 the configuration is wrong; 3 the catalog failed.
    """
    settings = load_profile(profile)
    found = changes(
        loader.load(settings.registry),
        LakeMetadata(settings),
        settings.parameters,
        settings.key_of_pseudonyms(),
    )
    if json_lines:
        for change in found:
            typer.echo(json.dumps(change.event()))
    elif found:
        results().print(changes_table(found))
    else:
        typer.echo("nothing would change")
    raise typer.Exit(CHANGES if found and exit_code else 0)
