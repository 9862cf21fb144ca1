"""An emulator of Cloud Firestore from npm: a rewrite by its community, a fake, which keeps documents in memory only.

It answers writes, reads by id and filters on fields. It does not list collections, has no partitions, and in silence ignores an
order by id, the choice of fields, and the filters for null and NaN. What a test proves with it is proved of the client's calls
and types, not of Firestore.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from google.auth.credentials import AnonymousCredentials
from google.cloud.firestore import Client

from scripts.services.process import free_ports
from scripts.services.settings import HOST
from tests.npm import installed, running

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
    """An emulator that runs until the end; ``host:port``."""
    folder = installed("@firestore-emulator/server", VERSION, {"launcher.js": _LAUNCHER})
    (port,) = free_ports(HOST, 1)
    address = f"{HOST}:{port}"
    with running(folder / "launcher.js", [address], port):
        yield address


def client(address: str) -> Client:
    """A client of it; who asks for it closes it."""
    found = Client(PROJECT, AnonymousCredentials())
    found._emulator_host = address
    return found
