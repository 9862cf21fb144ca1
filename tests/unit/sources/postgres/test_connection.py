"""What PostgreSQL's errors mean to a run, and that none of them holds a password."""

import socket
from collections.abc import Iterator

import psycopg2
import psycopg2.errors
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg2.extensions import parse_dsn
from pydantic import SecretStr

from lakehouse.errors import ExitCode, SourceError, SourceUnavailableError
from lakehouse.sources.postgres.connection import connect, dsn, translated
from lakehouse.sources.postgres.settings import Settings

PASSWORD = "p@ss:/'word"
NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)


def source(**changes: object) -> Settings:
    settings = {"type": "postgres", "host": "127.0.0.1", "database": "shop", "user": "reader", "password": PASSWORD}
    return Settings.model_validate(settings | changes)


class Refused(psycopg2.OperationalError):
    """An error with a state, which psycopg2 sets only itself."""

    def __init__(self, text: str, state: str | None) -> None:
        super().__init__(text)
        self._state = state

    @property
    def pgcode(self) -> str | None:  # type: ignore[override]
        return self._state


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port at which nothing answers."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def raised(error: Exception) -> SourceError:
    with pytest.raises(SourceError) as caught, translated("app", source()):
        raise error
    assert PASSWORD not in str(caught.value)
    assert "source 'app' (PostgreSQL 'shop' at 127.0.0.1:5432)" in str(caught.value)
    return caught.value


@given(user=NAMES, password=NAMES, database=NAMES)
def test_libpq_reads_from_the_uri_what_the_profile_says(user: str, password: str, database: str) -> None:
    found = parse_dsn(dsn(source(user=user, password=SecretStr(password), database=database)))
    assert (found["user"], found["password"], found["dbname"]) == (user, password, database)
    assert (found["host"], found["port"], found["sslmode"]) == ("127.0.0.1", "5432", "prefer")


def test_a_source_that_does_not_answer_may_be_tried_again(closed_port: int) -> None:
    with pytest.raises(SourceUnavailableError, match="does not answer") as caught, connect(
        "app", source(port=closed_port)
    ):  # fmt: skip
        pass
    assert caught.value.retryable
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize(
    "text", ['password authentication failed for user "reader"', "fe_sendauth: no password supplied"]
)
def test_wrong_credentials_are_for_a_person_to_mend(text: str) -> None:
    error = raised(psycopg2.OperationalError(text))
    assert "wrong credentials for user 'reader'" in str(error)
    assert not error.retryable


def test_a_database_that_is_not_there_is_named() -> None:
    error = raised(psycopg2.OperationalError('database "shop" does not exist'))
    assert "there is no such database. Check `database` in the profile." in str(error)


@pytest.mark.parametrize("state", [None, "08006", "57P01", "53300", "40001"])
def test_what_may_pass_is_tried_again(state: str | None) -> None:
    assert raised(Refused("something broke", state)).retryable


@pytest.mark.parametrize("state", ["42601", "22023", "58030"])
def test_a_refusal_is_not_tried_again_and_told_with_its_state(state: str) -> None:
    error = raised(Refused("no\n  such thing.", state))
    assert not error.retryable
    assert f"PostgreSQL refused ({state}): no such thing." in str(error)
    assert error.exit_code is ExitCode.DATA_FAILURE


def test_a_value_that_a_view_cannot_cast_is_not_shown() -> None:
    error = raised(Refused('invalid input syntax for type integer: "555-1234"', "22P02"))
    assert "555-1234" not in str(error)
    assert "PostgreSQL refused (22P02): a row holds a value" in str(error)


def test_a_missing_grant_is_told_with_the_grant_to_give() -> None:
    error = raised(psycopg2.errors.InsufficientPrivilege("permission denied for table t"))
    assert "role 'reader' may not read: permission denied for table t. GRANT it SELECT" in str(error)


def test_a_snapshot_that_is_gone_with_its_session_is_taken_anew() -> None:
    error = raised(psycopg2.errors.UndefinedObject('snapshot "0001" does not exist'))
    assert error.retryable
    assert "the run's snapshot is gone" in str(error)


def test_another_object_that_is_not_there_is_a_refusal() -> None:
    assert not raised(psycopg2.errors.UndefinedObject('type "mood" does not exist')).retryable


def test_a_connection_that_broke_may_be_tried_again() -> None:
    assert raised(psycopg2.InterfaceError("connection already closed")).retryable


def test_any_other_error_of_the_driver_is_a_refusal() -> None:
    assert not raised(psycopg2.ProgrammingError("")).retryable
