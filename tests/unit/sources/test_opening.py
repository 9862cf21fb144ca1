"""A source is opened by the folder of its kind."""

from contextlib import nullcontext
from typing import Any

import pytest

from lakehouse.model import SourceSettings
from lakehouse.sources.cassandra import source as cassandra
from lakehouse.sources.cassandra.settings import Settings as CassandraSettings
from lakehouse.sources.opening import Followed, opened
from lakehouse.sources.postgres import source as postgres
from lakehouse.sources.postgres.settings import Settings as PostgresSettings

POSTGRES = PostgresSettings.model_validate(
    {"type": "postgres", "host": "h", "database": "d", "user": "u", "password": "p"}
)
CASSANDRA = CassandraSettings.model_validate({"type": "cassandra", "hosts": ["h"], "keyspace": "k"})


@pytest.mark.parametrize(
    ("settings", "kind"), [(POSTGRES, postgres), (CASSANDRA, cassandra)], ids=lambda it: str(it)[:12]
)
def test_a_source_is_opened_by_its_own_kind_with_what_is_followed(
    monkeypatch: pytest.MonkeyPatch, settings: SourceSettings, kind: Any
) -> None:
    told: list[Any] = []

    def opens(*arguments: Any) -> Any:
        told.append(arguments)
        return nullcontext("a session")

    monkeypatch.setattr(kind, "opened", opens)
    followed = [Followed("public.t", "at")]
    with opened("app", settings, followed) as session:
        assert str(session) == "a session"
    assert told == [("app", settings, followed)]
