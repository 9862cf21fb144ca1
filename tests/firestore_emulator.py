"""An emulator of Cloud Firestore from npm: a rewrite by its community, a fake, which keeps documents in memory only.

It answers writes, reads by id and filters on fields. It does not list collections, has no partitions, and in silence ignores an
order by id, the choice of fields, and the filters for null and NaN. What a test proves with it is proved of the client's calls
and types, not of Firestore.
"""

import json
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud.firestore import Client

from lakehouse.jars import cache_folder, locked
from scripts.services.process import free_ports, wait_until
from scripts.services.settings import HOST

VERSION, PROJECT = "0.3.15", "demo"
#: Its own start listens on every interface; this one on this machine's own.
_LAUNCHER = """
const { FirestoreServer } = require("@firestore-emulator/server");
const { ServerCredentials } = require("@grpc/grpc-js");
const emulator = new FirestoreServer();
emulator.server.bindAsync(process.argv[2], ServerCredentials.createInsecure(), (error) => {
  if (error) { console.error(error); process.exit(1); }
});
"""


@contextmanager
def emulator() -> Iterator[str]:
    """An emulator that runs until the end; ``host:port``. Where there is no Node the test is skipped, unless ``CI`` is set."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("node and npm are needed for the emulator of Firestore")
    launcher = _installed(npm) / "launcher.js"
    address = f"{HOST}:{free_ports(HOST, 1)[0]}"
    process = subprocess.Popen([node, str(launcher), address], stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: _answers(address), 30, "the emulator of Firestore")
        yield address
    finally:
        process.kill()
        process.wait()


def client(address: str) -> Client:
    """A client of it; who asks for it closes it."""
    found = Client(PROJECT, AnonymousCredentials())
    found._emulator_host = address
    return found


def _installed(npm: str) -> Path:
    folder = cache_folder() / "npm" / f"firestore-emulator-{VERSION}"
    with locked(cache_folder() / "npm" / ".lock"):
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=folder.parent) as work:
                package = {"private": True, "dependencies": {"@firestore-emulator/server": VERSION}}
                (Path(work) / "package.json").write_text(json.dumps(package))
                (Path(work) / "launcher.js").write_text(_LAUNCHER)
                command = [npm, "install", "--silent", "--no-fund", "--no-audit", "--ignore-scripts"]
                subprocess.run(command, cwd=work, check=True, capture_output=True, text=True)
                shutil.copytree(work, folder.with_suffix(".part"), symlinks=True)
            folder.with_suffix(".part").rename(folder)
    return folder


def _answers(address: str) -> bool:
    host, _, port = address.partition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0
