"""Servers from npm, for tests: each version is installed once, into the project's cache folder."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from lakehouse.jars import cache_folder, locked
from scripts.services.process import port_taken, wait_until
from scripts.services.settings import HOST


def node() -> str:
    """Node's program. Where it is not, the test is skipped; with ``CI`` set it fails."""
    found = shutil.which("node")
    if found is None or shutil.which("npm") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("node and npm were not found")
    return str(found)


def installed(package: str, version: str, files: Mapping[str, str] | None = None) -> Path:
    """The folder in which ``package`` is installed; ``files`` stand beside ``node_modules``, by name."""
    node()
    folder = cache_folder() / "npm" / f"{package.replace('/', '-').removeprefix('@')}-{version}"
    with locked(cache_folder() / "npm" / ".lock"):
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=folder.parent) as work:
                about = {"package.json": json.dumps({"private": True, "dependencies": {package: version}})}
                for name, text in (about | dict(files or {})).items():
                    (Path(work) / name).write_text(text)
                command = ["npm", "install", "--silent", "--no-fund", "--no-audit", "--ignore-scripts"]
                subprocess.run(command, cwd=work, check=True, capture_output=True, text=True)
                waiting = folder.with_name(f".{folder.name}")
                shutil.rmtree(waiting, ignore_errors=True)
                shutil.copytree(work, waiting, symlinks=True)
            waiting.rename(folder)
    return folder


@contextmanager
def running(program: Path, arguments: Sequence[str], port: int) -> Iterator[None]:
    """Node runs ``program``, which listens at ``port``, until the end."""
    process = subprocess.Popen([node(), program, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: port_taken(HOST, port), 60, f"{program} at port {port}")
        yield
    finally:
        process.kill()
        process.wait()
