"""What pymongo's errors mean to a run, and that none of them holds a password."""

import socket
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson.errors import InvalidBSON
from pymongo.errors import (
    AutoReconnect,
    ConfigurationError,
    CursorNotFound,
    ExecutionTimeout,
    NetworkTimeout,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)

from lakehouse.errors import SourceError, SourceUnavailableError
from lakehouse.sources.documents import connection
from lakehouse.sources.documents.client import connect
from lakehouse.sources.documents.connection import translated
from tests.unit.sources.documents.fakes import settings

PASSWORD = "secret-word"


def raised(error: Exception) -> SourceError:
    with pytest.raises(SourceError) as caught, translated(settings(user="reader"), "reading orders"):
        raise error
    assert PASSWORD not in str(caught.value)
    assert str(caught.value).startswith("reading orders: document database 'app' at 127.0.0.1:27017")
    return caught.value


@pytest.mark.parametrize(
    "error",
    [AutoReconnect("gone"), NetworkTimeout("slow"), CursorNotFound("idle"), ExecutionTimeout("long")],
    ids=lambda error: type(error).__name__,
)
def test_what_may_pass_is_tried_again_and_told_by_its_name(error: Exception) -> None:
    found = raised(error)
    assert found.retryable
    assert type(error).__name__ in str(found)


def test_servers_that_do_not_answer_may_be_tried_again() -> None:
    found = raised(ServerSelectionTimeoutError("refused"))
    assert found.retryable
    assert "does not answer: refused. Check that it runs" in str(found)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OperationFailure("Authentication failed.", 18), "wrong credentials for user 'reader'. Check the user"),
        (OperationFailure("not authorized on app", 13), "user 'reader' may not do this: not authorized on app. Give"),
        (
            OperationFailure("x", 59, {"errmsg": "no such command: 'saslStart'"}),
            "it asks nobody for a password, and the profile",
        ),
        (OperationFailure("x", 2, {"errmsg": "bad filter"}), "it refused the request: bad filter."),
        (ConfigurationError("Unknown option"), "Unknown option. Correct the source in the profile."),
        (PyMongoError("odd"), "PyMongoError: odd."),
        (InvalidBSON("broken"), "InvalidBSON: broken."),
    ],
    ids=lambda it: type(it).__name__,
)
def test_a_refusal_is_for_a_person_to_mend(error: Exception, told: str) -> None:
    found = raised(error)
    assert not found.retryable
    assert told in str(found)


def test_what_is_no_error_of_the_driver_is_passed_on() -> None:
    with pytest.raises(ZeroDivisionError), translated(settings()):
        raise ZeroDivisionError


@pytest.mark.parametrize("more", [{}, {"user": "reader"}], ids=["nobody", "a user"])
def test_a_source_that_does_not_answer_is_given_up_in_time(more: dict[str, Any]) -> None:
    began = datetime.now(UTC)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        away = settings(port=taken.getsockname()[1], connect_timeout_s=0.2, **more)
        with pytest.raises(SourceUnavailableError, match="does not answer") as caught, connect(away):
            pass
    assert PASSWORD not in str(caught.value)
    assert datetime.now(UTC) - began < timedelta(seconds=10)


def test_the_driver_is_told_all_that_the_profile_says(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []

    class Client:
        def __init__(self, *arguments: Any, **options: Any) -> None:
            told.append((*arguments, options))

    monkeypatch.setattr(connection, "MongoClient", Client)
    connection._client(settings(user="reader", tls=True, tls_ca_file="ca.pem", replica_set="rs", connect_timeout_s=2))
    connection._client(settings(hosts=(), uri="mongodb+srv://c", password=None, user="reader", read_concern=None))
    (hosts, first), (uri, second) = told
    assert (hosts, uri) == (["127.0.0.1:27017"], "mongodb+srv://c")
    assert first == {
        "serverSelectionTimeoutMS": 2000, "connectTimeoutMS": 2000, "socketTimeoutMS": 60_000, "appname": "lakehouse",
        "username": "reader", "password": PASSWORD, "authSource": "admin", "tls": True, "tlsCAFile": "ca.pem",
        "replicaSet": "rs", "readConcernLevel": "majority"}  # fmt: skip
    assert "password" not in second
    assert "readConcernLevel" not in second
