"""What Cassandra's errors mean to a run, and that none of them holds a password."""

import socket
from typing import Any

import pytest
from cassandra import (
    AuthenticationFailed,
    InvalidRequest,
    OperationTimedOut,
    ReadFailure,
    ReadTimeout,
    Unavailable,
    UnsupportedOperation,
)
from cassandra.cluster import NoHostAvailable

from lakehouse.errors import SourceError, SourceUnavailableError
from lakehouse.sources.cassandra.connection import connect, translated
from lakehouse.sources.cassandra.settings import Settings

PASSWORD = "secret-word"


def source(**changes: Any) -> Settings:
    given = {"type": "cassandra", "hosts": ("127.0.0.1",), "keyspace": "app", "user": "reader", "password": PASSWORD}
    return Settings.model_validate(given | changes)


def raised(error: Exception, doing: str = "reading app.events") -> SourceError:
    with pytest.raises(SourceError) as caught, translated(source(), doing):
        raise error
    assert PASSWORD not in str(caught.value)
    assert str(caught.value).startswith(f"{doing}: Cassandra keyspace 'app' at 127.0.0.1:9042")
    return caught.value


@pytest.mark.parametrize(
    "error",
    [OperationTimedOut(), ReadTimeout("slow"), ReadFailure("tombstones"), Unavailable("down"), ConnectionResetError()],
    ids=lambda error: type(error).__name__,
)
def test_what_may_pass_is_tried_again_and_told_by_its_name(error: Exception) -> None:
    found = raised(error)
    assert found.retryable
    assert type(error).__name__ in str(found)


def test_nodes_that_do_not_answer_may_be_tried_again() -> None:
    found = raised(NoHostAvailable("no host", {"127.0.0.1": OSError("refused")}))
    assert found.retryable
    assert "does not answer" in str(found)


@pytest.mark.parametrize(
    "error",
    [
        AuthenticationFailed("no"),
        NoHostAvailable("none", {"127.0.0.1": AuthenticationFailed("no")}),
        NoHostAvailable("Bad credentials", {}),
    ],
    ids=["alone", "of a host", "in words"],
)
def test_wrong_credentials_are_for_a_person_to_mend(error: Exception) -> None:
    found = raised(error)
    assert not found.retryable
    assert "wrong credentials for user 'reader'. Check the user in the profile" in str(found)


@pytest.mark.parametrize("error", [InvalidRequest("Undefined column name x"), UnsupportedOperation("no tokens")])
def test_a_refusal_is_not_tried_again(error: Exception) -> None:
    found = raised(error)
    assert not found.retryable
    assert str(error) in str(found)


def test_what_is_no_error_of_the_driver_is_passed_on() -> None:
    with pytest.raises(ZeroDivisionError), translated(source()):
        raise ZeroDivisionError


def test_a_source_that_does_not_answer_may_be_tried_again() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with (
            pytest.raises(SourceUnavailableError, match="does not answer") as caught,
            connect(source(port=taken.getsockname()[1])),
        ):
            pass
    assert PASSWORD not in str(caught.value)


def test_settings_show_no_password() -> None:
    assert PASSWORD not in repr(source())
