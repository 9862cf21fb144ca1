"""Where the command line finds the sources to fill: the environment, else the checkout's own services.

``APP_PG_HOST``, ``APP_PG_PORT``, ``APP_PG_DB``, ``APP_PG_ADMIN`` and ``APP_PG_ADMIN_PASSWORD``; ``CASSANDRA_HOST``,
``CASSANDRA_PORT`` and ``CASSANDRA_PASSWORD``. Without them: the ports that the services listen on, and the passwords
in ``.env``.
"""

import os
from pathlib import Path
from typing import Any, cast

import psycopg2
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, NoHostAvailable
from cassandra.policies import WhiteListRoundRobinPolicy
from pymongo import MongoClient

from lakehouse.errors import ConfigurationError, SourceUnavailableError
from lakehouse.settings import load_profile
from lakehouse.sources.files.settings import Settings
from scripts.services.env import ensure_env
from scripts.services.settings import HOST, port

_REMEDY = "Start it with: python -m scripts.services start postgres cassandra"


def landing() -> Path:
    """The folder in which files arrive: that of the profile ``embedded``."""
    return Path(cast(Settings, load_profile("embedded").source("landing")).root)


def documents() -> MongoClient[dict[str, Any]]:
    """A client of the server of documents, for the caller to close: at ``DOCUMENTS_HOST`` and ``DOCUMENTS_PORT``."""
    host, number = os.environ.get("DOCUMENTS_HOST") or HOST, _port("DOCUMENTS_PORT", "documents")
    return MongoClient(host, number, directConnection=True, serverSelectionTimeoutMS=5_000)


def kafka() -> str:
    """The broker's address: ``KAFKA_HOST`` and ``KAFKA_PORT``."""
    return f"{os.environ.get('KAFKA_HOST') or HOST}:{_port('KAFKA_PORT', 'kafka')}"


def postgres() -> Any:
    """A connection as the administrator of the application's database, in autocommit.

    Raises:
        SourceUnavailableError: it does not answer, or refuses this user.
    """
    host, number = os.environ.get("APP_PG_HOST") or HOST, _port("APP_PG_PORT", "postgres")
    try:
        connection = psycopg2.connect(
            host=host,
            port=number,
            dbname=os.environ.get("APP_PG_DB") or "app",
            user=os.environ.get("APP_PG_ADMIN") or "postgres",
            password=_secret("APP_PG_ADMIN_PASSWORD"),
            connect_timeout=5,
        )
    except psycopg2.OperationalError as error:
        raise SourceUnavailableError(
            f"connecting to PostgreSQL at {host}:{number} to fill it: {str(error).strip()}.", remedy=_REMEDY
        ) from None
    connection.autocommit = True
    return connection


def cassandra() -> tuple[Cluster, Any]:
    """A cluster, for the caller to shut down, and a session of it.

    Raises:
        SourceUnavailableError: it does not answer, or refuses this user.
    """
    host, number = os.environ.get("CASSANDRA_HOST") or HOST, _port("CASSANDRA_PORT", "cassandra")
    profile = ExecutionProfile(load_balancing_policy=WhiteListRoundRobinPolicy([host]), request_timeout=60)
    cluster = Cluster(
        [host],
        port=number,
        auth_provider=PlainTextAuthProvider("lakehouse", _secret("CASSANDRA_PASSWORD")),
        execution_profiles={EXEC_PROFILE_DEFAULT: profile},
        connect_timeout=10,
    )
    try:
        return cluster, cluster.connect()
    except NoHostAvailable as error:
        cluster.shutdown()
        reasons = "; ".join(sorted({str(reason) for reason in error.errors.values()}))
        raise SourceUnavailableError(
            f"connecting to Cassandra at {host}:{number} to fill it: {reasons or error}.", remedy=_REMEDY
        ) from None


def _port(variable: str, service: str) -> int:
    text = os.environ.get(variable)
    if not text:
        return port(service)
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise ConfigurationError(
            f"reading the port of {service}: {variable} is {text!r}, and a number from 1 to 65535 was expected.",
            remedy=f"Correct {variable}, or unset it.",
        )
    return int(text)


def _secret(variable: str) -> str:
    return os.environ.get(variable) or ensure_env()[variable]
