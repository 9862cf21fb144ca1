"""Sessions with Cassandra, and what the driver's errors mean."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cassandra import (
    AuthenticationFailed,
    ConsistencyLevel,
    DriverException,
    InvalidRequest,
    OperationTimedOut,
    ReadFailure,
    ReadTimeout,
    Unavailable,
)
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, NoHostAvailable
from cassandra.policies import DCAwareRoundRobinPolicy, FallthroughRetryPolicy, TokenAwarePolicy
from cassandra.query import tuple_factory

from lakehouse.errors import SourceError, SourceUnavailableError, one_line
from lakehouse.sources.cassandra.cells import CellsHandler
from lakehouse.sources.cassandra.settings import Settings

#: What may pass when it is tried again.
PASSING = (OperationTimedOut, ReadTimeout, ReadFailure, Unavailable, NoHostAvailable, ConnectionError)


@contextmanager
def connect(source: Settings) -> Iterator[Any]:
    """A driver session, closed at the end. It answers with cells as bytes (:mod:`lakehouse.sources.cassandra.cells`).

    Raises:
        SourceUnavailableError: no node answers.
        SourceError: wrong credentials, or an unknown keyspace.
    """
    with translated(source):
        cluster = _cluster(source)
        try:
            session = cluster.connect()
            session.client_protocol_handler = CellsHandler
            yield session
        finally:
            cluster.shutdown()


def _cluster(source: Settings) -> Any:
    profile = ExecutionProfile(
        load_balancing_policy=TokenAwarePolicy(DCAwareRoundRobinPolicy(source.local_datacenter)),
        consistency_level=ConsistencyLevel.name_to_value[source.consistency],
        request_timeout=source.request_timeout_s,
        retry_policy=FallthroughRetryPolicy(),
        row_factory=tuple_factory,
    )
    extra: dict[str, Any] = {}
    if sys.version_info >= (3, 12):  # the event loop that older versions use left the standard library
        from cassandra.io.asyncioreactor import AsyncioConnection  # noqa: PLC0415

        extra["connection_class"] = AsyncioConnection
    return Cluster(
        list(source.hosts),
        port=source.port,
        auth_provider=_authentication(source),
        connect_timeout=10,
        execution_profiles={EXEC_PROFILE_DEFAULT: profile},
        **extra,
    )


def _authentication(source: Settings) -> PlainTextAuthProvider | None:
    if source.user is None:
        return None
    return PlainTextAuthProvider(source.user, source.password.get_secret_value() if source.password else None)


@contextmanager
def translated(source: Settings, doing: str = "") -> Iterator[None]:
    """Turns the driver's errors into the project's, without a secret in them."""
    where = f"{doing}: {source.where}" if doing else source.where
    try:
        yield
    except NoHostAvailable as error:
        refused = [cause for cause in dict(error.errors or {}).values() if isinstance(cause, AuthenticationFailed)]
        if refused or "Bad credentials" in str(error):
            raise _wrong_credentials(where, source) from None
        raise SourceUnavailableError(
            f"{where} does not answer: {_text(error)}.", remedy="Check that it runs and that this machine reaches it."
        ) from None
    except AuthenticationFailed:
        raise _wrong_credentials(where, source) from None
    except InvalidRequest as error:
        raise SourceError(f"{where}: it refused the request: {_text(error)}.") from None
    except PASSING as error:
        raise SourceUnavailableError(
            f"{where}: {type(error).__name__}: {_text(error)}.",
            remedy="Look at the nodes' load, or raise request_timeout_s.",
        ) from None
    except DriverException as error:
        raise SourceError(f"{where}: {type(error).__name__}: {_text(error)}.") from None


def _wrong_credentials(where: str, source: Settings) -> SourceError:
    return SourceError(
        f"{where}: wrong credentials for user {source.user!r}.",
        remedy="Check the user in the profile and the environment variable of its password.",
    )


def _text(error: Exception) -> str:
    return one_line(error).rstrip(".")[:500]
