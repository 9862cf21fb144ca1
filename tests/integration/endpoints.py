"""How tests reach the services: as who ingests, and as who administers."""

from dataclasses import dataclass
from typing import Any

import psycopg2

from scripts.services.control import Services


@dataclass(frozen=True)
class PostgresEndpoint:
    """The application's PostgreSQL: a role that ingests, and the way in as administrator."""

    host: str
    port: int
    database: str
    reader: str
    reader_password: str
    admin_password: str

    @classmethod
    def of(cls, services: Services) -> "PostgresEndpoint":
        endpoint, env = services.endpoint("postgres"), services.env
        return cls(
            endpoint.host, endpoint.port, "app", "lakehouse", env["APP_PG_PASSWORD"], env["APP_PG_ADMIN_PASSWORD"]
        )

    def connect(self) -> Any:
        """A connection as administrator, in autocommit."""
        connection = psycopg2.connect(
            host=self.host, port=self.port, dbname=self.database, user="postgres", password=self.admin_password
        )
        connection.autocommit = True
        return connection
