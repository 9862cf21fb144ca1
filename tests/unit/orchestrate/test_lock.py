"""One run at a time, by a lock that ends with its holder, however it ends."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg2
import pytest
from pydantic import SecretStr

from lakehouse.errors import AlreadyRunningError, ExitCode, SystemFailureError
from lakehouse.orchestrate.lock import held
from lakehouse.settings import FileLock, Lock, PostgresLock

_HOLD = """
import sys
from pathlib import Path
from lakehouse.orchestrate.lock import held
from lakehouse.settings import FileLock
with held(FileLock(type="file", path=Path(sys.argv[1])), sys.argv[2]):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def lock(tmp_path: Path) -> FileLock:
    return FileLock(type="file", path=tmp_path / "not" / "there" / "run.lock")


def refused(lock: Lock) -> AlreadyRunningError:
    """What is said when ``lock`` cannot be taken for a run."""
    with pytest.raises(AlreadyRunningError) as caught, held(lock, "run"):
        pass
    return caught.value


@contextmanager
def another_process(lock: FileLock, role: str) -> Iterator["subprocess.Popen[str]"]:
    """A process that holds ``lock`` until it is ended."""
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(lock.path), role], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_second_holder_is_refused_and_told_who_holds_it(lock: FileLock) -> None:
    with another_process(lock, "run") as holder:
        error = refused(lock)
    assert f"another run is under way: process {holder.pid} holds {lock.path}" in str(error)
    assert "nothing was started" in str(error)
    assert error.exit_code is ExitCode.ALREADY_RUNNING


def test_within_one_process_a_second_holder_is_refused_too(lock: FileLock) -> None:
    with held(lock, "run"):
        assert "another run is under way" in str(refused(lock))


def test_the_lock_ends_with_its_process_even_when_that_is_killed(lock: FileLock) -> None:
    with another_process(lock, "run") as holder:
        holder.kill()
        holder.wait()
        with held(lock, "run"):
            pass


def test_the_lock_ends_with_an_error_of_its_holder(lock: FileLock) -> None:
    with pytest.raises(ZeroDivisionError), held(lock, "run"):
        raise ZeroDivisionError
    with held(lock, "run"):
        pass


def test_the_holder_of_now_is_told_and_not_the_one_before(lock: FileLock) -> None:
    with another_process(lock, "run"):
        pass
    with another_process(lock, "run") as now:
        assert f"process {now.pid} holds" in str(refused(lock))


def test_who_orchestrates_and_who_writes_have_locks_of_their_own(lock: FileLock) -> None:
    with another_process(lock, "run"), held(lock, "write"):
        pass


# In PostgreSQL ----------------------------------------------------------------------------------------------


def advisory(port: int = 5432) -> PostgresLock:
    return PostgresLock(
        type="postgres", host="127.0.0.1", port=port, database="ops", user="u", password=SecretStr("secret-word")
    )


class FakeServer:
    """Gives the advisory locks of which it has no holder; stands for connection and cursor alike."""

    def __init__(self) -> None:
        self.locks: set[int] = set()
        self.open = 0

    def connect(self, **_: Any) -> "FakeConnection":
        self.open += 1
        return FakeConnection(self)


class FakeConnection:
    autocommit = False

    def __init__(self, server: FakeServer) -> None:
        self._server, self._locks, self._given = server, set[int](), False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        pass

    def cursor(self) -> Self:
        return self

    def execute(self, sql: str, values: tuple[int, ...] = ()) -> None:
        if values:
            self._given = values[0] not in self._server.locks
            self._locks |= {*values} if self._given else set()
            self._server.locks |= self._locks

    def fetchone(self) -> tuple[bool]:
        return (self._given,)

    def close(self) -> None:
        self._server.open -= 1
        self._server.locks -= self._locks


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    fake = FakeServer()
    monkeypatch.setattr(psycopg2, "connect", fake.connect)
    return fake


def test_an_advisory_lock_is_held_by_one_session_at_a_time_and_ends_with_it(server: FakeServer) -> None:
    with held(advisory(), "run"):
        assert "a session of PostgreSQL 'ops' at 127.0.0.1:5432 holds it" in str(refused(advisory()))
        with held(advisory(), "write"):
            assert server.open == 2
    assert server.open == 0
    with held(advisory(), "run"):
        pass


def test_a_lock_that_cannot_be_reached_is_a_failure_of_the_system_without_its_password() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        lock = advisory(taken.getsockname()[1])
        with (
            pytest.raises(SystemFailureError, match="taking the run lock in PostgreSQL 'ops'") as caught,
            held(lock, "run"),
        ):
            pass
    assert "secret-word" not in str(caught.value)
