"""The secrets in ``.env``: made once, at random, from ``.env.example``, and never overwritten."""

import os
import secrets
import tempfile
from pathlib import Path

from dotenv import dotenv_values

from lakehouse.errors import ConfigurationError
from scripts.services.settings import ROOT

_PLACEHOLDER = "change-me"


def ensure_env(path: Path = ROOT / ".env", example: Path = ROOT / ".env.example") -> dict[str, str]:
    """The variables that ``example`` names, with their values from ``path``, which is made when it is not there.

    What the environment sets goes before the file. A variable that only ``path`` has is handed out as well.

    Raises:
        ConfigurationError: ``path`` lacks a variable of ``example``, or holds it without a value.
    """
    if not path.exists():
        _create(path, example)
    values = {name: os.environ.get(name) or value or "" for name, value in dotenv_values(path).items()}
    for name in dotenv_values(example):
        values[name] = values.get(name) or os.environ.get(name) or ""
        if not values[name]:
            raise ConfigurationError(
                f"reading the services' secrets: {path} has no value for {name}, which {example.name} names.",
                remedy=f"Add a line {name}=… to it, or set it in the environment.",
            )
    return values


def _create(path: Path, example: Path) -> None:
    """Write ``path`` whole or not at all; where two do so at once, the first one's stays."""
    lines = [line.replace(_PLACEHOLDER, secrets.token_urlsafe(24)) for line in example.read_text().splitlines()]
    descriptor, name = tempfile.mkstemp(prefix=".env-", dir=path.parent)  # readable by its owner alone
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write("\n".join(lines) + "\n")
        try:
            os.link(name, path)
        except FileExistsError:
            return
    finally:
        Path(name).unlink()
