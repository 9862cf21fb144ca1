"""How a PostgreSQL database is reached, as a profile says it."""

from typing import Any

import pytest
from pydantic import ValidationError

from lakehouse.sources.postgres.settings import Settings

SMALLEST: dict[str, Any] = {"type": "postgres", "host": "h", "database": "d", "user": "u", "password": "swordfish"}


def test_what_is_not_said_has_a_default_and_the_password_is_not_shown() -> None:
    found = Settings.model_validate(SMALLEST)
    assert (found.port, found.timezone, found.sslmode, found.parallelism) == (5432, "UTC", "prefer", 2)
    assert "swordfish" not in f"{found!r} {found} {found.model_dump_json()}"


@pytest.mark.parametrize(
    "says",
    [{"type": "cassandra"}, {"parallelism": 0}, {"parallelism": 65}, {"port": "x"}, {"hosts": ["h"]}, {"host": None}],
    ids=str,
)
def test_what_is_no_such_source_is_refused(says: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(says))):
        Settings.model_validate(SMALLEST | says)


@pytest.mark.parametrize("name", ["host", "database", "user", "password"])
def test_what_has_no_default_must_be_said(name: str) -> None:
    with pytest.raises(ValidationError, match=name):
        Settings.model_validate({key: value for key, value in SMALLEST.items() if key != name})
