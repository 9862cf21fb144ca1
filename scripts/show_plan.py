"""Shows what applying the registry would change in the lake; started by scripts/plan.

Exit codes: 0, or with ``--exit-code`` 5 when there are changes; 2 the configuration is wrong; 3 the catalog failed.
"""

import json
import sys
from typing import Annotated

import typer
from rich.console import Console

from lakehouse.errors import LakehouseError
from lakehouse.iceberg.metadata import LakeMetadata
from lakehouse.logs import Redaction
from lakehouse.orchestrate.pending import changes
from lakehouse.orchestrate.summary import changes_table
from lakehouse.registry import loader
from lakehouse.settings import load_profile

CHANGES = 5


def main(
    profile: Annotated[str | None, typer.Option(help="A file of conf/, without its suffix.")] = None,
    json_lines: Annotated[bool, typer.Option("--json", help="Print JSON lines instead of text.")] = False,
    exit_code: Annotated[bool, typer.Option(help="End with 5 when there are changes, for a pipeline of CI.")] = False,
) -> None:
    """Show what applying the registry would change in the lake. Nothing is changed."""
    redaction = Redaction()
    try:
        settings = load_profile(profile)
        redaction = Redaction(settings.secrets())
        found = changes(loader.load(settings.registry), LakeMetadata(settings), settings.parameters)
    except LakehouseError as error:
        message = redaction.text(str(error))
        if json_lines:
            print(json.dumps({"event": "error", "message": message, "exit_code": int(error.exit_code)}))
        else:
            Console(stderr=True).print(message, markup=False, highlight=False, style="red", soft_wrap=True)
        raise SystemExit(int(error.exit_code)) from None
    if json_lines:
        for change in found:
            print(json.dumps(change.event()))
    elif found:
        Console(width=None if sys.stdout.isatty() else 120).print(changes_table(found))
    else:
        print("nothing would change")
    raise SystemExit(CHANGES if found and exit_code else 0)


if __name__ == "__main__":
    typer.run(main)
