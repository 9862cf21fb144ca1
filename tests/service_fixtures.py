"""Real services for the tests, started once a session on the ports of docker-compose.yml unless the environment has others.

Where several processes run the tests, each starts what its tests need, in a folder of its own; only the first has those ports.
Their data is thrown away with the session. Where there is no MinIO, and none can be built, the tests that need it are
skipped with that reason; with ``CI`` set they fail.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator

import pytest

from scripts.services.cassandra import Cassandra
from scripts.services.control import Services
from scripts.services.documents import Documents
from scripts.services.kafka import Kafka
from scripts.services.minio import Minio, MinioUnavailableError
from scripts.services.postgres import Postgres
from scripts.services.process import free_ports, port_taken
from scripts.services.rest_catalog import RestCatalog
from scripts.services.settings import HOST, PORTS, ROOT, Home, port
from tests.integration.endpoints import PostgresEndpoint

_FIRST = "gw0"


@pytest.fixture(scope="session")
def services() -> Iterator[Services]:
    """The services of this session, none of them started yet; all are ended after it, those of a killed one before it."""
    process = os.environ.get("PYTEST_XDIST_WORKER", _FIRST)
    home = Home(ROOT / ".lakehouse" / "test-services" / process)
    home.folder.parent.mkdir(parents=True, exist_ok=True)
    with home.folder.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pytest.fail(f"another test run uses the services in {home.folder}; wait until it has ended.", pytrace=False)
        _clear(home)
        _avoid_taken_ports(all_of_them=process != _FIRST)
        found = Services(home)
        os.environ.update(found.env)
        yield found
        _clear(home)


@pytest.fixture(scope="session")
def postgres_service(services: Services) -> Postgres:
    """The application's PostgreSQL, with the role ``lakehouse`` that reads."""
    services.start("postgres")
    return services.postgres


@pytest.fixture(scope="session")
def cassandra_service(services: Services) -> Cassandra:
    """The application's Cassandra, with the role ``lakehouse``."""
    services.start("cassandra")
    return services.cassandra


@pytest.fixture(scope="session")
def kafka_service(services: Services) -> Kafka:
    """The application's Kafka, without a topic."""
    services.start("kafka")
    return services.kafka


@pytest.fixture(scope="session")
def documents_service(services: Services) -> Documents:
    """The application's documents: a fake that speaks MongoDB's wire protocol, not MongoDB."""
    services.start("documents")
    return services.documents


@pytest.fixture(scope="session")
def minio_service(services: Services) -> Minio:
    """An object store with the bucket ``lakehouse``."""
    _start_or_skip(services, "minio")
    return services.minio


@pytest.fixture(scope="session")
def rest_catalog_service(services: Services) -> RestCatalog:
    """Iceberg's REST catalog, with its PostgreSQL and its object store."""
    _start_or_skip(services, "rest_catalog")
    return services.rest_catalog


def _start_or_skip(services: Services, name: str) -> None:
    try:
        services.start(name)
    except MinioUnavailableError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


def _avoid_taken_ports(*, all_of_them: bool) -> None:
    """Where a demo of this machine runs, the tests use ports of their own; profiles learn them from the environment."""
    variables = [variable for name, (_, variable) in PORTS.items() if all_of_them or port_taken(HOST, port(name))]
    os.environ.update(zip(variables, map(str, free_ports(HOST, len(variables))), strict=True))


def _clear(home: Home) -> None:
    Services(home).stop()
    shutil.rmtree(home.folder)


@pytest.fixture(scope="session")
def app_database(services: Services, postgres_service: Postgres) -> PostgresEndpoint:
    """The application's PostgreSQL, as tests reach it."""
    return PostgresEndpoint.of(services)
