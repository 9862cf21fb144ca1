"""Pages of a query: none lost, none twice, whatever passes in between."""

from collections.abc import Iterator
from typing import Any

import pytest
from cassandra import InvalidRequest, OperationTimedOut, ReadTimeout, Unavailable
from cassandra.cluster import NoHostAvailable
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.sources.cassandra import pages as module
from lakehouse.sources.cassandra.pages import pages
from tests.unit.sources.cassandra.fakes import FakeSession


@pytest.fixture(autouse=True)
def _without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    def at_once(**_: float) -> Any:
        return lambda _state: 0

    monkeypatch.setattr(module, "wait_random_exponential", at_once)


def read(session: FakeSession, attempts: int = 3) -> list[Any]:
    """The rows of each page; a page comes by column."""
    return [list(zip(*page, strict=True)) for page in pages(session, "statement", attempts, 1.0)]


@given(st.lists(st.lists(st.tuples(st.integers()), max_size=3), min_size=1, max_size=5))
def test_all_pages_come_in_order_those_without_a_row_too(content: list[list[tuple[int]]]) -> None:
    assert read(FakeSession(content)) == content


def test_a_table_without_rows_is_one_empty_page() -> None:
    assert read(FakeSession([])) == [[]]


def test_the_next_page_is_asked_for_while_the_last_is_being_used() -> None:
    session = FakeSession([[(1,)], [(2,)], [(3,)]])
    found: Iterator[Any] = pages(session, "statement", 1, 1.0)
    assert next(found) == ((1,),)
    assert (session.asked, session.taken) == ([None, b"1"], 1)


@pytest.mark.parametrize(
    "error",
    [
        OperationTimedOut(),
        ReadTimeout("slow"),
        Unavailable("down"),
        NoHostAvailable("none", {}),
        ConnectionResetError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_page_that_fails_in_a_way_that_may_pass_is_asked_for_again_and_only_it(error: Exception) -> None:
    session = FakeSession([[(1,)], [(2,)], [(3,)]], {1: [error, error]})
    assert read(session) == [[(1,)], [(2,)], [(3,)]]
    assert session.asked == [None, b"1", b"1", b"1", b"2"]


def test_after_the_last_attempt_the_error_is_passed_on() -> None:
    session = FakeSession([[(1,)], [(2,)]], {1: [OperationTimedOut(), OperationTimedOut(), Unavailable("last")]})
    with pytest.raises(Unavailable, match="last"):
        read(session, attempts=3)
    assert session.asked == [None, b"1", b"1", b"1"]


def test_what_will_not_pass_is_not_tried_again() -> None:
    session = FakeSession([[(1,)]], {0: [InvalidRequest("no such column")]})
    with pytest.raises(InvalidRequest, match="no such column"):
        read(session)
    assert session.taken == 1
