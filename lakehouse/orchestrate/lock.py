"""One run at a time. Both locks end with the process that holds them, however it ends."""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2

from lakehouse.errors import AlreadyRunningError, SystemFailureError, one_line
from lakehouse.settings import FileLock, Lock, PostgresLock


@contextmanager
def held(lock: Lock, role: str) -> Iterator[None]:
    """Hold ``lock`` in a ``role``: ``run`` for the orchestrator, ``write`` for an application that writes tables.

    Raises:
        AlreadyRunningError: another process holds it.
        SystemFailureError: the lock cannot be reached.
    """
    context = _file(lock, role) if isinstance(lock, FileLock) else _advisory(lock, role)
    with context:
        yield


@contextmanager
def _file(lock: FileLock, role: str) -> Iterator[None]:
    path = lock.path.with_name(f"{lock.path.name}.{role}")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise _taken(f"process {holder} holds {path}") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


@contextmanager
def _advisory(lock: PostgresLock, role: str) -> Iterator[None]:
    number = int.from_bytes(hashlib.sha256(f"lakehouse {role}".encode()).digest()[:8], "big", signed=True)
    where = f"{lock.database!r} at {lock.host}:{lock.port}"
    try:
        connection = psycopg2.connect(
            host=lock.host,
            port=lock.port,
            dbname=lock.database,
            user=lock.user,
            password=lock.password.get_secret_value(),
            connect_timeout=10,
            application_name=f"lakehouse {role} lock",
            keepalives_idle=30,
        )
    except psycopg2.OperationalError as error:
        raise SystemFailureError(
            f"taking the run lock in PostgreSQL {where} failed: {one_line(error)}.",
            remedy="Check `lock:` in the profile and that the server runs.",
        ) from None
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SET idle_session_timeout = 0")
            cursor.execute("SELECT pg_try_advisory_lock(%s)", (number,))
            if cursor.fetchone() != (True,):
                raise _taken(f"a session of PostgreSQL {where} holds it")
        yield
    finally:
        connection.close()


def _taken(holder: str) -> AlreadyRunningError:
    return AlreadyRunningError(
        f"another run is under way: {holder}.", remedy="Wait for it to end; nothing was started."
    )
