"""How far back the next load must look: the horizon of what a snapshot does not show yet."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import pytest
import structlog

from lakehouse.sources.postgres import snapshot as module
from lakehouse.sources.postgres.connection import SESSION_SETTINGS
from lakehouse.sources.postgres.settings import Settings
from lakehouse.sources.postgres.snapshot import GUARD, Snapshot, exported_snapshot

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


class FakeServer:
    """Connection and cursor of a PostgreSQL whose transactions a test tells.

    Attributes:
        said: the statements, in order.
    """

    def __init__(self, *, sees_all: bool, oldest: datetime | None, prepared: list[str] | None) -> None:
        self._sees_all, self._oldest, self._prepared = sees_all, oldest, prepared
        self.said: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def cursor(self) -> Self:
        return self

    def execute(self, sql: str, values: Any = None) -> None:
        self.said.append(sql)

    def fetchone(self) -> tuple[Any, ...]:
        last = self.said[-1]
        if "pg_has_role" in last:
            return (self._sees_all,)
        if "pg_stat_activity" in last:
            return (NOW, self._oldest)
        if "pg_prepared_xacts" in last:
            return (self._prepared,)
        assert "pg_export_snapshot" in last
        return ("0001-1", NOW + timedelta(seconds=2))

    def fetchall(self) -> list[tuple[str]]:
        return [("idle_session_timeout",)]


def taken(
    monkeypatch: pytest.MonkeyPatch,
    *,
    sees_all: bool = True,
    oldest: datetime | None = None,
    prepared: list[str] | None = None,
) -> tuple[Snapshot, FakeServer]:
    """A snapshot of a server with such transactions."""
    server = FakeServer(sees_all=sees_all, oldest=oldest, prepared=prepared)

    @contextmanager
    def connect(*_: object) -> Iterator[FakeServer]:
        yield server

    monkeypatch.setattr(module, "connect", connect)
    settings = {"type": "postgres", "host": "h", "database": "d", "user": "reader", "password": "p"}
    with exported_snapshot("app", Settings.model_validate(settings | {"late_commit_overlap_s": 600})) as found:
        return found, server


def test_with_no_transaction_open_the_horizon_is_when_they_were_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    found, _ = taken(monkeypatch)
    assert (found.horizon.at, found.horizon.asked_at, found.horizon.prepared) == (NOW - GUARD, NOW, ())


def test_the_oldest_open_transaction_holds_the_horizon_back(monkeypatch: pytest.MonkeyPatch) -> None:
    began = NOW - timedelta(hours=3)
    assert taken(monkeypatch, oldest=began)[0].horizon.at == began - GUARD


def test_prepared_transactions_are_named_since_nobody_tells_when_they_began(monkeypatch: pytest.MonkeyPatch) -> None:
    assert taken(monkeypatch, prepared=["a", "b"])[0].horizon.prepared == ("a", "b")


@pytest.mark.parametrize("oldest", [None, NOW - timedelta(seconds=5), NOW - timedelta(hours=3)])
def test_a_role_that_does_not_see_all_looks_back_by_the_overlap_at_least_and_warns(
    monkeypatch: pytest.MonkeyPatch, oldest: datetime | None
) -> None:
    with structlog.testing.capture_logs() as logs:
        found, _ = taken(monkeypatch, sees_all=False, oldest=oldest)
    assert found.horizon.at == min(NOW - timedelta(seconds=600), (oldest or NOW) - GUARD)
    (warning,) = logs
    assert (warning["log_level"], warning["source"]) == ("warning", "app")
    assert warning["remedy"] == "GRANT pg_read_all_stats TO reader"


def test_the_transactions_are_looked_at_before_the_snapshot_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """What commits in between is visible to the snapshot, or was seen open."""
    found, server = taken(monkeypatch)
    order = [
        next(i for i, sql in enumerate(server.said) if part in sql) for part in ("xact_start", "prepared", "BEGIN")
    ]
    assert order == sorted(order)
    assert (found.identifier, found.taken_at) == ("0001-1", NOW + timedelta(seconds=2))


def test_the_server_may_not_end_the_session_that_holds_the_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    _, server = taken(monkeypatch)
    assert server.said.index("SET idle_session_timeout = 0") < len(server.said) - 1


def test_another_session_sees_what_the_snapshot_sees_before_it_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    found, server = taken(monkeypatch)
    server.said.clear()
    with found.session():
        pass
    seen = ["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "SET TRANSACTION SNAPSHOT '0001-1'"]
    assert server.said == seen
    assert list(found.setup) == [*SESSION_SETTINGS, *seen]  # of a driver that this connection is not made by
