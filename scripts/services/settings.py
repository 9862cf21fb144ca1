"""Where the services listen and where they keep their data. The same ports as in docker-compose.yml."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lakehouse.errors import ConfigurationError

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"

#: service: (default port, the variable that changes it)
PORTS = {
    "postgres": (15432, "LAKEHOUSE_PG_PORT"),
    "catalog_postgres": (15433, "LAKEHOUSE_CATALOG_PG_PORT"),
    "cassandra": (19042, "LAKEHOUSE_CASSANDRA_PORT"),
    "kafka": (19092, "LAKEHOUSE_KAFKA_PORT"),
    "documents": (17017, "LAKEHOUSE_DOCUMENTS_PORT"),
    "minio": (19000, "LAKEHOUSE_MINIO_PORT"),
    "rest_catalog": (18181, "LAKEHOUSE_REST_PORT"),
}


@dataclass(frozen=True)
class Endpoint:
    """Where a service listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def port(service: str, chosen: Mapping[str, int] | None = None) -> int:
    """The port of ``service``: as ``chosen`` has it, else the environment, else the default.

    Raises:
        ConfigurationError: the variable holds no port number.
    """
    if chosen and service in chosen:
        return chosen[service]
    default, variable = PORTS[service]
    text = os.environ.get(variable) or str(default)
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise ConfigurationError(
            f"reading the port of {service}: {variable} is {text!r}, and a number from 1 to 65535 was expected.",
            remedy=f"Correct {variable}, or unset it for {default}.",
        )
    return int(text)


@dataclass(frozen=True)
class Home:
    """The folder with the services' data, one folder a service."""

    folder: Path

    @classmethod
    def default(cls) -> "Home":
        """``LAKEHOUSE_SERVICES_HOME``, else ``services`` in ``LAKEHOUSE_HOME``, else in the checkout's ``.lakehouse``."""
        base = Path(os.environ.get("LAKEHOUSE_HOME") or ROOT / ".lakehouse")
        return cls(Path(os.environ.get("LAKEHOUSE_SERVICES_HOME") or base / "services").resolve())

    def of(self, service: str) -> Path:
        """The folder of ``service``, made when it is not there."""
        path = self.folder / service
        path.mkdir(parents=True, exist_ok=True)
        return path
