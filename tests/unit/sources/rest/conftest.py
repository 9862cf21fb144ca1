"""A fake API for each test."""

from collections.abc import Iterator

import pytest

from tests.fake_api import FakeApi, served


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with served() as found:
        yield found
