"""Where the services listen, where they keep their data, and their secrets. The same ports as in docker-compose.yml."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
_PLACEHOLDER = "change-me"

#: service: (default port, the variable that changes it)
PORTS = {
    "postgres": (15432, "LAKEHOUSE_PG_PORT"),
    "catalog_postgres": (15433, "LAKEHOUSE_CATALOG_PG_PORT"),
    "cassandra": (19042, "LAKEHOUSE_CASSANDRA_PORT"),
    "minio": (19000, "LAKEHOUSE_MINIO_PORT"),
    "rest_catalog": (18181, "LAKEHOUSE_REST_PORT"),
}


def port(service: str) -> int:
    """The port of ``service``, as the environment has it."""
    default, variable = PORTS[service]
    return int(os.environ.get(variable, default))


@dataclass(frozen=True)
class Home:
    """The folder with the services' data, one folder a service."""

    folder: Path

    @classmethod
    def default(cls) -> "Home":
        base = Path(os.environ.get("LAKEHOUSE_HOME") or ROOT / ".lakehouse")
        return cls(Path(os.environ.get("LAKEHOUSE_SERVICES_HOME") or base / "services").resolve())

    def of(self, service: str) -> Path:
        path = self.folder / service
        path.mkdir(parents=True, exist_ok=True)
        return path


def ensure_env(path: Path = ROOT / ".env", example: Path = ROOT / ".env.example") -> dict[str, str]:
    """The variables of ``.env``, which is made from the example with random secrets when it is not there.

    What the environment sets goes before the file.
    """
    if not path.exists():
        lines = [line.replace(_PLACEHOLDER, secrets.token_urlsafe(24)) for line in example.read_text().splitlines()]
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write("\n".join(lines) + "\n")
    values = {name: value for name, value in dotenv_values(path).items() if value is not None}
    return {name: os.environ.get(name, value) for name, value in values.items()}
