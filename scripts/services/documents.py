"""A document server from jars: mongo-java-server, a fake that speaks MongoDB's wire protocol. It is not MongoDB.

It stands in where no container runs; docker-compose.yml has the real one. It answers inserts, updates, deletes and queries by
filter and order. It knows neither users nor passwords, sessions, transactions, change streams or snapshots, and what a test
proves with it is proved of the protocol and of the filters, not of MongoDB's own planner, replication or read concern.
"""

import socket
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from lakehouse.jars import Artifact, fetch, java
from scripts.services.process import Daemon
from scripts.services.settings import HOST, Home

VERSION = "1.47.0"
_ARTIFACTS = (
    Artifact("de.bwaldvogel", "mongo-java-server-h2-backend", VERSION),
    Artifact("org.slf4j", "slf4j-simple", "2.0.17"),
)
#: Its own main class listens on a fixed port; this one on the port that it is told, of this machine only.
_LAUNCHER = """import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.backend.h2.H2Backend;

public class Documents {
    public static void main(String[] arguments) {
        MongoServer server = new MongoServer(new H2Backend(arguments[0]));
        Runtime.getRuntime().addShutdownHook(new Thread(server::shutdownNow));
        server.bind(arguments[1], Integer.parseInt(arguments[2]));
    }
}
"""


class Documents:
    """The fake, on the loopback interface, with its data in a file. It asks for no password."""

    def __init__(self, home: Home, port: int) -> None:
        self.port = port
        self._folder = home.of("documents")
        self.daemon = Daemon("documents", self._folder)

    def start(self) -> None:
        """Start the server unless it runs, and return when it answers."""
        if self.daemon.identity() is None:
            self._launch()
        self.daemon.wait_ready(self._ready, 60)

    def _launch(self) -> None:
        jars = fetch(_ARTIFACTS, "documents")
        launcher = self._folder / "Documents.java"
        launcher.write_text(_LAUNCHER)
        command = [
            java(),
            "-Xms64m",
            "-Xmx512m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-cp",
            ":".join(map(str, jars)),
            str(launcher),
            str(self._folder / "data.h2"),
            HOST,
            str(self.port),
        ]
        self.daemon.start(command)

    def stop(self) -> bool:
        """End the server; ``False`` when it did not run."""
        return self.daemon.stop()

    def client(self) -> MongoClient[dict[str, Any]]:
        """A client of this server; who asks for it closes it."""
        return MongoClient(HOST, self.port, directConnection=True, serverSelectionTimeoutMS=20_000)

    def _ready(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex((HOST, self.port)):
                return False
        with MongoClient[dict[str, Any]](
            HOST, self.port, directConnection=True, serverSelectionTimeoutMS=1000
        ) as client:
            try:
                client.admin.command("ping")
            except PyMongoError:
                return False
        return True
