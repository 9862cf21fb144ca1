"""What a read that breaks off means to a run."""

import socket
from types import SimpleNamespace
from typing import Self

import adbc_driver_manager
import adbc_driver_postgresql.dbapi as adbc
import pyarrow as pa
import pytest

from lakehouse.errors import SourceError, SourceUnavailableError
from lakehouse.sources.postgres.part import PostgresPart

URI = "postgresql://reader:secret-word@127.0.0.1"


def part(uri: str = URI) -> PostgresPart:
    return PostgresPart(uri, ("BEGIN", "SET TRANSACTION SNAPSHOT '1'"), "SELECT 1 AS id", "ingesting users")


def broken_by(text: str, state: str | None, monkeypatch: pytest.MonkeyPatch) -> SourceError:
    """What reading raises when the driver raises ``text`` with ``state``."""
    status = adbc_driver_manager.AdbcStatusCode.IO

    def refuse(*_: object, **__: object) -> None:
        raise adbc_driver_manager.OperationalError(text, status_code=status, sqlstate=state)

    monkeypatch.setattr(adbc, "connect", refuse)
    with pytest.raises(SourceError) as caught:
        list(part().batches())
    assert str(caught.value).startswith("ingesting users: ")
    return caught.value


def test_a_server_that_does_not_answer_may_be_tried_again() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        uri = f"{URI}:{taken.getsockname()[1]}/shop?connect_timeout=5"
        with pytest.raises(
            SourceUnavailableError, match="ingesting users: reading from PostgreSQL broke off"
        ) as caught:
            list(part(uri).batches())
    assert "secret-word" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("server closed the connection unexpectedly", None),
        ("no connection to the server", None),
        ("terminating connection due to administrator command", "57P01"),
        ("canceling statement due to conflict with recovery", "40001"),
        ("out of shared memory", "53200"),
        ('invalid snapshot identifier: "0001" snapshot', "42704"),
    ],
)
def test_what_may_pass_is_tried_again(text: str, state: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert broken_by(text, state, monkeypatch).retryable


@pytest.mark.parametrize(
    ("text", "state"),
    [('relation "t" does not exist', "42P01"), ('type "mood" does not exist', "42704"), ("syntax error", "42601")],
)
def test_a_refusal_is_not_tried_again_and_told_with_its_state(
    text: str, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = broken_by(text, state, monkeypatch)
    assert not error.retryable
    assert f"PostgreSQL refused ({state}): {text}." in str(error)


def test_a_value_that_a_view_cannot_cast_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    error = broken_by('invalid input syntax for type integer: "555-1234"', "22P02", monkeypatch)
    assert "555-1234" not in str(error)
    assert "PostgreSQL refused (22P02): a row holds a value that a cast or a calculation refuses" in str(error)


def test_a_missing_grant_is_told_with_the_grant_to_give(monkeypatch: pytest.MonkeyPatch) -> None:
    error = broken_by("permission denied for table t", "42501", monkeypatch)
    assert not error.retryable
    assert "the role may not read what it needs: permission denied for table t. GRANT it SELECT" in str(error)


class FakeConnection:
    """Connection and cursor of the driver: answers its last statement with ``batches``.

    Attributes:
        said: the statements, in order.
    """

    def __init__(self, batches: list[pa.RecordBatch]) -> None:
        self._batches = batches
        self.said: list[str] = []
        self.adbc_statement = SimpleNamespace(set_options=lambda **_: None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def cursor(self) -> Self:
        return self

    def execute(self, statement: str) -> None:
        self.said.append(statement)

    def fetch_record_batch(self) -> pa.RecordBatchReader:
        return pa.RecordBatchReader.from_batches(self._batches[0].schema, self._batches)


def test_a_session_is_prepared_before_the_query_and_types_of_the_driver_arrive_as_plain_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opaque = pa.opaque(pa.string(), "numeric", "PostgreSQL")
    wrapped = pa.ExtensionArray.from_storage(opaque, pa.array(["1.50"]))
    connection = FakeConnection([pa.RecordBatch.from_arrays([pa.array([1]), wrapped], names=["id", "n"])] * 2)
    monkeypatch.setattr(adbc, "connect", lambda *_, **__: connection)
    found = pa.Table.from_batches(part().batches())
    assert connection.said == [*part().setup, part().query]
    assert found.schema.types == [pa.int64(), pa.string()]
    assert found.to_pylist() == [{"id": 1, "n": "1.50"}] * 2


def test_a_part_shows_no_password() -> None:
    assert "secret-word" not in repr(part())
