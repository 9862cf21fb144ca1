"""Options that several commands share, and what they are read with."""

from typing import Annotated

import typer

ProfileName = Annotated[
    str | None,
    typer.Option(
        "--profile",
        "-p",
        metavar="NAME",
        help="A file of conf/, without its suffix; by default LAKEHOUSE_PROFILE, else embedded.",
    ),
]
JsonLines = Annotated[bool, typer.Option("--json", help="Print JSON lines instead of text.")]


def listed(text: str) -> list[str]:
    """The items of an option whose value is separated by commas."""
    return [item.strip() for item in text.split(",") if item.strip()]
