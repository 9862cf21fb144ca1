"""`lakehouse init`: makes a project of one's own, outside the engine's checkout."""

import os
import secrets
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from lakehouse.errors import ConfigurationError
from lakehouse.scaffold.project import ProjectFile, project

_PRIVATE, _PUBLIC = 0o600, 0o666  # the latter as the umask leaves it
_MAY_BE_THERE = {".git"}
_SHOWN = 8


def init(folder: Annotated[Path, typer.Argument(help="The project's folder; new, or empty.")]) -> None:
    """Make a project of one's own: a profile, a registry with a first gold table and its test, and a CI file."""
    target = folder.resolve()
    _check_empty(target)
    found = project(target.name, version("lakehouse"), secrets.token_hex(32))
    try:
        _write(target, found)
    except OSError as error:
        raise ConfigurationError(
            f"making a project in {target}: {error}.", remedy="Choose a folder that you may write."
        ) from error
    typer.echo(f"made {folder}: {', '.join(sorted(found))}", err=True)
    typer.echo(f"go on: cd {folder}, write to .env where your PostgreSQL is, and follow README.md", err=True)


def _check_empty(folder: Path) -> None:
    what = f"making a project in {folder}:"
    if folder.exists() and not folder.is_dir():
        raise ConfigurationError(
            f"{what} it is a file; expected a new or an empty folder.", remedy="Choose another name."
        )
    there = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    if set(there) - _MAY_BE_THERE:
        shown = ", ".join(there[:_SHOWN]) + (f" and {len(there) - _SHOWN} more" if len(there) > _SHOWN else "")
        raise ConfigurationError(
            f"{what} it holds {shown}; expected a new or an empty folder.", remedy="Choose another name."
        )


def _write(folder: Path, found: Mapping[str, ProjectFile]) -> None:
    for name, file in found.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        mode = _PRIVATE if file.private else _PUBLIC
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as stream:
            stream.write(file.text)
