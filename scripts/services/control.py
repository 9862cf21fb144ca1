"""All services together: which there are, which need which, starting and stopping them."""

import functools
from collections.abc import Iterable
from typing import Protocol

from scripts.services.cassandra import Cassandra
from scripts.services.minio import Minio
from scripts.services.postgres import Postgres
from scripts.services.process import Daemon, ServiceError, port_taken, wait_until
from scripts.services.rest_catalog import RestCatalog
from scripts.services.settings import HOST, PORTS, Home, ensure_env, port

_NEEDS = {"rest_catalog": ("catalog_postgres", "minio")}


class Service(Protocol):
    """What every service can."""

    port: int
    daemon: Daemon

    def start(self) -> None: ...

    def stop(self) -> bool: ...


class Services:
    """The services of one home folder."""

    def __init__(self, home: Home | None = None, env: dict[str, str] | None = None) -> None:
        self.home = home or Home.default()
        self.env = env or ensure_env()

    @functools.cached_property
    def postgres(self) -> Postgres:
        return Postgres(
            "postgres", self.home, admin="postgres", password=self.env["APP_PG_ADMIN_PASSWORD"], database="app"
        )

    @functools.cached_property
    def catalog_postgres(self) -> Postgres:
        return Postgres(
            "catalog_postgres", self.home, admin="iceberg", password=self.env["CATALOG_PG_PASSWORD"], database="iceberg"
        )

    @functools.cached_property
    def cassandra(self) -> Cassandra:
        return Cassandra(self.home, self.env["CASSANDRA_PASSWORD"])

    @functools.cached_property
    def minio(self) -> Minio:
        return Minio(self.home, self.env["MINIO_ROOT_USER"], self.env["MINIO_ROOT_PASSWORD"])

    @functools.cached_property
    def rest_catalog(self) -> RestCatalog:
        return RestCatalog(
            self.home,
            self.catalog_postgres,
            self.minio,
            self.env["CATALOG_PG_PASSWORD"],
            self.env["MINIO_ROOT_PASSWORD"],
        )

    def get(self, name: str) -> Service:
        if name not in PORTS:
            raise ServiceError(f"there is no service {name!r}.", remedy=f"The services: {', '.join(PORTS)}.")
        service: Service = getattr(self, name)
        return service

    def running(self, name: str) -> bool:
        return self.get(name).daemon.identity() is not None

    def check_ports(self, names: Iterable[str]) -> None:
        """Raise :class:`ServiceError`, in one sentence, when a port is taken by something else."""
        for name in names:
            if not self.running(name) and port_taken(HOST, port(name)):
                raise ServiceError(
                    f"port {port(name)} of {name} is taken by another program; end it, or set "
                    f"{PORTS[name][1]} to a free port."
                )

    def start(self, *names: str) -> list[str]:
        """Start ``names`` and what they need; returns those that did not run before."""
        wanted = [needed for name in names for needed in (*_NEEDS.get(name, ()), name)]
        ordered = list(dict.fromkeys(wanted))
        self.check_ports(ordered)
        started = []
        for name in ordered:
            if not self.running(name):
                self.get(name).start()
                started.append(name)
            if name == "postgres":
                self.postgres.start()  # an earlier start may have broken off before its database was made
                self.postgres.ensure_reader("lakehouse", self.env["APP_PG_PASSWORD"])
        return started

    def stop(self, *names: str) -> list[str]:
        """End ``names`` (all when none is named), those first that need others; returns those that ran."""
        ended = []
        for name in [name for name in reversed(PORTS) if not names or name in names]:
            if self.get(name).stop():
                wait_until(lambda name=name: not port_taken(HOST, port(name)), 30, f"the port of {name}")
                ended.append(name)
        return ended
