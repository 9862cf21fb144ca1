"""How a Cassandra keyspace is reached, as a profile says it."""

from typing import Any

import pytest
from pydantic import ValidationError

from lakehouse.sources.cassandra.settings import Settings

SMALLEST: dict[str, Any] = {"type": "cassandra", "hosts": ["h1", "h2"], "keyspace": "k"}


def test_what_is_not_said_has_a_default_and_messages_say_where_it_is() -> None:
    found = Settings.model_validate(SMALLEST)
    assert (found.port, found.consistency, found.splits, found.user) == (9042, "LOCAL_QUORUM", 2, None)
    assert found.where == "Cassandra keyspace 'k' at h1, h2:9042"


@pytest.mark.parametrize(
    "says",
    [
        {"type": "postgres"},
        {"consistency": "MOST"},
        {"page_size": 0},
        {"retries": 0},
        {"splits": 0},
        {"parallelism": 0},
        {"hosts": "h"},
        {"host": "h"},
    ],
    ids=str,
)
def test_what_is_no_such_source_is_refused(says: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(says))):
        Settings.model_validate(SMALLEST | says)
