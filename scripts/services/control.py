"""All services together: which there are, which need which, starting and stopping them."""

import functools
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from lakehouse.jars import locked
from scripts.services.cassandra import Cassandra
from scripts.services.documents import Documents
from scripts.services.env import ensure_env
from scripts.services.kafka import Kafka
from scripts.services.minio import Minio
from scripts.services.postgres import Postgres
from scripts.services.process import Daemon, ServiceError, port_taken, wait_until
from scripts.services.rest_catalog import RestCatalog
from scripts.services.settings import HOST, PORTS, Endpoint, Home, port

_NEEDS = {"rest_catalog": ("catalog_postgres", "minio")}


class Service(Protocol):
    """What every service can."""

    port: int
    daemon: Daemon

    def start(self) -> None:
        """Start it unless it runs, and return when it is ready and holds what it needs (a role, a bucket)."""

    def stop(self) -> bool:
        """End it; ``False`` when it did not run."""


class Services:
    """The services of one home folder.

    Args:
        home: where their data is; the checkout's own unless given.
        env: the secrets; those of ``.env`` unless given.
        ports: ports that differ from the environment's and the defaults, by service.

    Example:
        >>> services = Services(Home(folder), ports={"postgres": 25432})
        >>> services.start("postgres")
        ['postgres']
        >>> services.endpoint("postgres")
        Endpoint(host='127.0.0.1', port=25432)
    """

    def __init__(
        self, home: Home | None = None, env: dict[str, str] | None = None, ports: Mapping[str, int] | None = None
    ) -> None:
        self.home = home or Home.default()
        self.env = env or ensure_env()
        self._ports = {name: port(name, ports) for name in PORTS}

    @functools.cached_property
    def postgres(self) -> Postgres:
        """The application's database."""
        return Postgres(
            "postgres",
            self.home,
            self._ports["postgres"],
            admin="postgres",
            password=self.env["APP_PG_ADMIN_PASSWORD"],
            database="app",
            reader=("lakehouse", self.env["APP_PG_PASSWORD"]),
        )

    @functools.cached_property
    def catalog_postgres(self) -> Postgres:
        """The REST catalog's database."""
        return Postgres(
            "catalog_postgres",
            self.home,
            self._ports["catalog_postgres"],
            admin="iceberg",
            password=self.env["CATALOG_PG_PASSWORD"],
            database="iceberg",
        )

    @functools.cached_property
    def cassandra(self) -> Cassandra:
        """The application's Cassandra."""
        return Cassandra(self.home, self._ports["cassandra"], self.env["CASSANDRA_PASSWORD"])

    @functools.cached_property
    def kafka(self) -> Kafka:
        """The application's Kafka."""
        return Kafka(self.home, self._ports["kafka"])

    @functools.cached_property
    def documents(self) -> Documents:
        """The application's documents: a fake of MongoDB."""
        return Documents(self.home, self._ports["documents"])

    @functools.cached_property
    def minio(self) -> Minio:
        """The object store."""
        return Minio(self.home, self._ports["minio"], self.env["MINIO_ROOT_USER"], self.env["MINIO_ROOT_PASSWORD"])

    @functools.cached_property
    def rest_catalog(self) -> RestCatalog:
        """Iceberg's REST catalog."""
        return RestCatalog(
            self.home,
            self._ports["rest_catalog"],
            self.catalog_postgres,
            self.minio,
            self.env["CATALOG_PG_PASSWORD"],
            self.env["MINIO_ROOT_PASSWORD"],
        )

    def get(self, name: str) -> Service:
        """The service ``name``; :class:`ServiceError` when there is none."""
        if name not in PORTS:
            raise ServiceError(f"there is no service {name!r}.", remedy=f"The services: {', '.join(PORTS)}.")
        service: Service = getattr(self, name)
        return service

    def endpoint(self, name: str) -> Endpoint:
        """Where ``name`` listens, or would."""
        return Endpoint(HOST, self.get(name).port)

    def running(self, name: str) -> bool:
        """Whether the process of ``name`` that was started in this home still lives."""
        return self.get(name).daemon.identity() is not None

    def check_ports(self, names: Iterable[str]) -> None:
        """Raise :class:`ServiceError`, in one sentence, when a port is taken by something else."""
        for name in names:
            endpoint = self.endpoint(name)
            if not self.running(name) and port_taken(endpoint.host, endpoint.port):
                raise ServiceError(
                    f"port {endpoint.port} of {name} is taken by another program; end it, or set "
                    f"{PORTS[name][1]} to a free port."
                )

    def start(self, *names: str) -> list[str]:
        """Start ``names`` and what they need, and wait until all are ready; returns those that did not run before."""
        wanted = [needed for name in names for needed in (*_NEEDS.get(name, ()), name)]
        ordered = list(dict.fromkeys(wanted))
        with self._alone():
            self.check_ports(ordered)
            started = [name for name in ordered if not self.running(name)]
            for name in ordered:
                self.get(name).start()  # also where it runs: an earlier start may have broken off before it was ready
        return started

    def stop(self, *names: str) -> list[str]:
        """End ``names`` (all when none is named), those first that need others; returns those that ran."""
        for name in names:
            self.get(name)
        ended = []
        with self._alone():
            for name in [name for name in reversed(PORTS) if not names or name in names]:
                if self.get(name).stop():
                    _wait_free(name, self.endpoint(name))
                    ended.append(name)
        return ended

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Two commands on one home wait for each other."""
        with locked(self.home.folder / ".lock"):
            yield


def _wait_free(name: str, endpoint: Endpoint) -> None:
    wait_until(lambda: not port_taken(endpoint.host, endpoint.port), 30, f"waiting until {name} gave up {endpoint}")
