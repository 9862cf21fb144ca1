"""A fresh clone of the checkout, and the shell of somebody who has just made it."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from dotenv import dotenv_values

from lakehouse.jars import cache_folder
from tests.conftest import ROOT
from tests.jvm import COMPILE_FAST

_OF_THE_TESTS = (
    "FORCE_COLOR",
    "PYTEST_ADDOPTS",
    "PYTHONPATH",
    "VIRTUAL_ENV",
    "PYSPARK_PYTHON",
    "PYSPARK_DRIVER_PYTHON",
)


def clone(folder: Path) -> Path:
    """The files that a clone has, changes that are not committed included, in ``folder``, with the checkout's ``.venv``.

    The environment is linked and not made anew, which would take minutes; so it must be the one that ./scripts/setup
    makes of the lock file as it is.
    """
    stamp = hashlib.sha256(b"".join((ROOT / name).read_bytes() for name in ("requirements.lock", "pyproject.toml")))
    if (ROOT / ".venv" / ".installed").read_text().strip() != stamp.hexdigest():
        pytest.fail("the clone would install its dependencies; run ./scripts/setup first.", pytrace=False)
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    for name in {os.fsdecode(entry) for entry in listed.split(b"\0") if entry}:
        if (ROOT / name).is_symlink() or (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name, follow_symlinks=False)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    return folder


def empty_clone(folder: Path) -> Path:
    """The same with an empty registry: a page that is followed there tells of its own tables alone."""
    found = clone(folder)
    for domain in (found / "registry").iterdir():
        shutil.rmtree(domain)
    return found


def shell(checkout: Path, home: Path) -> dict[str, str]:
    """The environment of a shell in ``checkout`` that has no settings of this project, in a terminal of 120 columns.

    ``home`` is an empty folder, and ``.venv`` is not activated. Jars and the services' programs come from this machine's
    cache.
    """
    home.mkdir()
    secrets = dotenv_values(ROOT / ".env.example")
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in _OF_THE_TESTS and name not in secrets and not name.startswith("LAKEHOUSE_")
    }
    activated = {str(ROOT / ".venv" / "bin"), str((ROOT / ".venv").resolve() / "bin")}
    return kept | {
        "PATH": os.pathsep.join(folder for folder in kept["PATH"].split(os.pathsep) if folder not in activated),
        "HOME": str(home),
        "LAKEHOUSE_CACHE": str(cache_folder()),
        "PYTHONPATH": str(checkout),  # .venv has the checkout's engine installed
        "SPARK_SUBMIT_OPTS": COMPILE_FAST,
        "COLUMNS": "120",
    }
