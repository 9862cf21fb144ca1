"""Connections with MongoDB, and what pymongo's errors mean."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bson.errors import BSONError
from pymongo import MongoClient
from pymongo.errors import (
    ConfigurationError,
    ConnectionFailure,
    CursorNotFound,
    ExecutionTimeout,
    InvalidName,
    InvalidURI,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)

from lakehouse.errors import SourceError, SourceUnavailableError, one_line
from lakehouse.sources.documents.settings import Settings

#: What may pass when it is tried again.
PASSING = (ConnectionFailure, CursorNotFound, ExecutionTimeout)
_WRONG_CREDENTIALS, _NOT_ALLOWED, _UNKNOWN_COMMAND = (18, 11), (13, 8000), 59


@contextmanager
def opened(source: Settings, doing: str = "") -> Iterator[MongoClient[dict[str, Any]]]:
    """A client of pymongo that has reached its server, closed at the end.

    Raises:
        SourceUnavailableError: no server answers within ``connect_timeout_s``.
        SourceError: wrong credentials, or settings that contradict each other.
    """
    with translated(source, doing), _client(source) as client:
        client[source.database].command("ping")
        yield client


def _client(source: Settings) -> MongoClient[dict[str, Any]]:
    options: dict[str, Any] = {
        "serverSelectionTimeoutMS": int(source.connect_timeout_s * 1000),
        "connectTimeoutMS": int(source.connect_timeout_s * 1000),
        "socketTimeoutMS": int(source.request_timeout_s * 1000),
        "appname": "lakehouse",
    }
    if source.user is not None:
        options |= {"username": source.user, "authSource": source.auth_database}
        options |= {"password": source.password.get_secret_value()} if source.password else {}
    if source.tls:
        options |= {"tls": True} | ({"tlsCAFile": source.tls_ca_file} if source.tls_ca_file else {})
    if source.replica_set:
        options["replicaSet"] = source.replica_set
    if source.read_concern:
        options["readConcernLevel"] = source.read_concern
    return MongoClient(source.uri or list(source.members), **options)


@contextmanager
def translated(source: Settings, doing: str = "") -> Iterator[None]:
    """Turns pymongo's errors into the project's, without a secret in them."""
    where = f"{doing}: {source.where}" if doing else source.where
    try:
        yield
    except ServerSelectionTimeoutError as error:
        raise SourceUnavailableError(
            f"{where} does not answer: {_text(error)}.", remedy="Check that it runs and that this machine reaches it."
        ) from None
    except PASSING as error:
        raise SourceUnavailableError(
            f"{where}: {type(error).__name__}: {_text(error)}.",
            remedy="Look at the server's load, or raise request_timeout_s.",
        ) from None
    except OperationFailure as error:
        raise _refused(where, source, error) from None
    except (ConfigurationError, InvalidURI, InvalidName) as error:
        raise SourceError(f"{where}: {_text(error)}.", remedy="Correct the source in the profile.") from None
    except (PyMongoError, BSONError) as error:
        raise SourceError(f"{where}: {type(error).__name__}: {_text(error)}.") from None


def _refused(where: str, source: Settings, error: OperationFailure) -> SourceError:
    said = str((error.details or {}).get("errmsg") or error)
    if error.code in _WRONG_CREDENTIALS:
        return SourceError(
            f"{where}: wrong credentials for user {source.user!r}.",
            remedy="Check the user and `auth_database` in the profile, and the environment variable of the password.",
        )
    if error.code in _NOT_ALLOWED:
        return SourceError(
            f"{where}: user {source.user!r} may not do this: {_text(said)}.",
            remedy="Give the user the role `read` on the database.",
        )
    if error.code == _UNKNOWN_COMMAND and "sasl" in said:
        return SourceError(
            f"{where}: it asks nobody for a password, and the profile gives user {source.user!r}.",
            remedy="Remove `user` and `password` from the profile.",
        )
    return SourceError(f"{where}: it refused the request: {_text(said)}.")


def _text(error: object) -> str:
    return one_line(error).rstrip(".")[:500]
