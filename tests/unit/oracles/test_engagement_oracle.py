"""The oracle of the domain `engagement` on small cases, with the numbers worked out by hand."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.oracles.engagement import (
    EMAIL,
    Session,
    Sources,
    activity,
    expected_activity,
    expected_notification_impact,
    expected_silver_keys,
    ms,
    notification_impact,
    sessions,
)

FIRST, SECOND, THIRD = date(2026, 10, 1), date(2026, 10, 2), date(2026, 10, 3)


def at(text: str, day: int = 1) -> datetime:
    """A time of October 2026."""
    return datetime.fromisoformat(f"2026-10-{day:02}T{text}+00:00")


def event(text: str, day: int = 1, user: str = "ana", session: str = "s1") -> tuple[str, int, str]:
    return user, ms(at(text, day)), session


def span(begin: str, end: str, user: str = "ana") -> Session:
    return Session(user, ms(at(begin)), ms(at(end)))


def impact(
    own: list[Session],
    *,
    cassandra: tuple[str | None, datetime | None] = (None, None),
    postgres: Sequence[tuple[str | None, datetime | None]] = (),
) -> tuple[bool, int]:
    """Success and seconds after it, of one notification of ana's sent at 09:00."""
    notifications = [("ana", ms(at("09:00:00")), "n1", "hello", *cassandra)]
    states = [("ana", "n1", *state) for state in postgres]
    ((user, content, day, success, seconds),) = notification_impact(notifications, states, own)
    assert (user, content, day) == ("ana", "hello", FIRST)
    return success, seconds


# Activity: sessions


def test_a_session_lasts_from_its_first_event_to_its_last_in_whatever_order_they_come() -> None:
    events = [event("10:05:00"), event("10:00:00"), event("10:02:00")]
    assert activity(events, [], []) == {("ana", FIRST): (1, 300, 0, 0.0)}


def test_a_session_over_midnight_is_split_there_and_begins_once() -> None:
    events = [event("23:50:00"), event("00:20:00", day=2)]
    assert activity(events, [], []) == {("ana", FIRST): (1, 600, 0, 0.0), ("ana", SECOND): (0, 1200, 0, 0.0)}


def test_a_day_that_a_session_only_spans_has_it_whole() -> None:
    events = [event("23:00:00"), event("01:00:00", day=3)]
    assert activity(events, [], []) == {
        ("ana", FIRST): (1, 3600, 0, 0.0),
        ("ana", SECOND): (0, 86_400, 0, 0.0),
        ("ana", THIRD): (0, 3600, 0, 0.0),
    }


def test_a_session_that_ends_at_midnight_touches_the_day_that_begins() -> None:
    events = [event("23:59:00"), event("00:00:00", day=2)]
    assert activity(events, [], []) == {("ana", FIRST): (1, 60, 0, 0.0), ("ana", SECOND): (0, 0, 0, 0.0)}


def test_a_session_of_one_event_counts_and_takes_no_time() -> None:
    assert activity([event("10:00:00")], [], []) == {("ana", FIRST): (1, 0, 0, 0.0)}


def test_an_event_sent_twice_makes_no_second_session() -> None:
    events = [event("10:00:00"), event("10:00:00.250"), event("10:01:00")]
    assert activity(events, [], []) == {("ana", FIRST): (1, 60, 0, 0.0)}


def test_milliseconds_are_summed_before_they_are_cut() -> None:
    """0.6 s and 0.6 s are 1 s, where cutting each would leave none."""
    events = [
        event("10:00:00"),
        event("10:00:00.600"),
        event("11:00:00", session="s2"),
        event("11:00:00.600", session="s2"),
    ]
    assert activity(events, [], []) == {("ana", FIRST): (2, 1, 0, 0.0)}


def test_the_same_session_id_of_another_user_is_another_session() -> None:
    events = [event("10:00:00"), event("10:10:00", user="bob")]
    assert sessions(events) == [span("10:00:00", "10:00:00"), span("10:10:00", "10:10:00", user="bob")]


def test_a_session_before_1970_falls_on_its_own_day() -> None:
    begin = ms(datetime(1969, 12, 31, 23, 59, 59, 500_000, tzinfo=UTC))
    assert begin == -500
    assert activity([("ana", begin, "s1"), ("ana", 1500, "s1")], [], []) == {
        ("ana", date(1969, 12, 31)): (1, 0, 0, 0.0),
        ("ana", date(1970, 1, 1)): (0, 1, 0, 0.0),
    }


# Activity: messages and money


def test_messages_count_by_the_day_they_were_made_and_without_a_user_not_at_all() -> None:
    messages = [("ana", ms(at("00:00:00"))), ("ana", ms(at("23:59:59.999"))), (None, ms(at("10:00:00")))]
    assert activity([], messages, []) == {("ana", FIRST): (0, 0, 2, 0.0)}


def test_money_goes_over_the_dollar_into_the_reporting_currency() -> None:
    purchases = [("ana", ms(at("10:00:00")), Decimal("300"), "JPY"), ("ana", ms(at("11:00:00")), Decimal("10"), "EUR")]
    found = activity([], [], purchases)
    assert found["ana", FIRST][3] == pytest.approx(300 / 150 * 0.92 + 10)  # 11.84
    assert activity([], [], purchases, "USD")["ana", FIRST][3] == pytest.approx(2 + 10 / 0.92)


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        (None, "EUR"),
        ("0", "EUR"),
        ("-1", "EUR"),
        ("1000000.01", "EUR"),
        ("5", "XXX"),
        ("5", ""),
        ("5", "eur"),
        ("5", None),
    ],
)
def test_an_invalid_purchase_counts_nowhere(amount: str | None, currency: str | None) -> None:
    price = None if amount is None else Decimal(amount)
    assert activity([], [], [("ana", ms(at("10:00:00")), price, currency)]) == {}


def test_a_purchase_of_exactly_a_million_counts() -> None:
    found = activity([], [], [("ana", ms(at("10:00:00")), Decimal(1_000_000), "EUR")])
    assert found["ana", FIRST][3] == pytest.approx(1_000_000)


# Notifications: which state counts


@pytest.mark.parametrize(
    ("state", "success"),
    [
        ("opened", True),
        ("clicked", True),
        ("sent", False),
        ("delivered", False),
        ("dismissed", False),
        ("failed", False),
    ],
)
def test_opened_and_clicked_are_successes(state: str, success: bool) -> None:
    assert impact([], cassandra=(state, at("09:10:00"))) == (success, 0)


def test_the_later_state_wins_whichever_source_has_it() -> None:
    early, late = at("09:10:00"), at("09:20:00")
    assert impact([], cassandra=("opened", late), postgres=[("failed", early)])[0] is True
    assert impact([], cassandra=("opened", early), postgres=[("failed", late)])[0] is False


def test_a_later_state_that_is_no_success_takes_an_earlier_success_back() -> None:
    states = [("clicked", at("09:10:00")), ("dismissed", at("09:30:00")), ("opened", at("09:20:00"))]
    assert impact([], postgres=states)[0] is False


def test_a_microsecond_decides() -> None:
    assert impact([], cassandra=("opened", at("09:10:00")), postgres=[("sent", at("09:10:00.000001"))])[0] is False


def test_on_a_tie_postgres_counts() -> None:
    same = at("09:10:00")
    assert impact([], cassandra=("sent", same), postgres=[("opened", same)])[0] is True
    assert impact([], cassandra=("opened", same), postgres=[("sent", same)])[0] is False


def test_a_state_without_a_time_and_a_time_without_a_state_do_not_count() -> None:
    noted = [("sent", at("09:10:00"))]
    assert impact([], cassandra=("opened", None), postgres=noted)[0] is False
    assert impact([], cassandra=("opened", at("09:00:01")), postgres=[(None, at("09:10:00"))])[0] is True
    assert impact([], cassandra=("opened", at("09:00:01")), postgres=[("failed", None)])[0] is True


def test_no_state_at_all_is_no_success() -> None:
    assert impact([]) == (False, 0)


def test_a_state_of_another_user_or_notification_does_not_count() -> None:
    notifications = [("ana", ms(at("09:00:00")), "n1", None, "sent", at("09:01:00"))]
    states = [("bob", "n1", "opened", at("09:10:00")), ("ana", "n2", "opened", at("09:10:00"))]
    assert notification_impact(notifications, states, []) == [("ana", None, FIRST, False, 0)]


def test_the_naive_times_of_the_cassandra_driver_are_utc() -> None:
    naive = datetime(2026, 10, 1, 9, 10)  # noqa: DTZ001
    assert impact([span("09:00:00", "09:15:00")], cassandra=("opened", naive)) == (True, 300)


# Notifications: the time after


OPENED = ("opened", at("10:00:00"))


@pytest.mark.parametrize(
    ("own", "seconds"),
    [
        pytest.param([], 0, id="no session at all"),
        pytest.param([span("09:50:00", "10:10:00")], 600, id="the rest of the session that holds it"),
        pytest.param([span("10:00:00", "10:10:00")], 600, id="held by a session that begins at it"),
        pytest.param([span("09:50:00", "10:00:00")], 0, id="held by a session that ends at it: nothing is left"),
        pytest.param(
            [span("09:50:00", "10:05:00"), span("09:40:00", "10:20:00")], 1200, id="of two the one that ends last"
        ),
        pytest.param(
            [span("09:50:00", "10:01:00"), span("10:05:00", "10:55:00")], 60, id="holding goes before following"
        ),
        pytest.param([span("09:50:00", "10:00:00"), span("10:05:00", "10:55:00")], 0, id="also with nothing left"),
        pytest.param([span("10:20:00", "10:50:00")], 1800, id="the whole of the next one"),
        pytest.param([span("10:30:00", "10:40:00")], 600, id="that begins 30 minutes after"),
        pytest.param([span("10:30:00.001", "10:40:00")], 0, id="and not a millisecond later"),
        pytest.param(
            [span("10:10:00", "10:11:00"), span("10:05:00", "10:07:00")], 120, id="the first, not the longest"
        ),
        pytest.param([span("10:05:00", "10:06:00"), span("10:05:00", "10:08:00")], 180, id="of two at once the longer"),
        pytest.param([span("09:00:00", "09:59:59.999")], 0, id="a session before it"),
        pytest.param([span("09:50:00", "10:10:00", user="bob")], 0, id="somebody else's session"),
        pytest.param([span("09:50:00", "10:00:01.999")], 1, id="whole seconds"),
    ],
)
def test_time_after_success(own: list[Session], seconds: int) -> None:
    assert impact(own, cassandra=OPENED) == (True, seconds)


def test_without_success_no_time_is_spent_after_it() -> None:
    assert impact([span("09:50:00", "10:10:00")], cassandra=("delivered", at("10:00:00"))) == (False, 0)


def test_time_runs_from_the_success_that_won_not_from_an_earlier_one() -> None:
    own = [span("09:50:00", "10:10:00")]
    assert impact(own, cassandra=OPENED, postgres=[("clicked", at("10:08:00.000500"))]) == (True, 120)


def test_each_notification_has_a_row_also_when_two_are_alike() -> None:
    row = ("ana", ms(at("23:59:59.999")), "n1", "hello", None, None)
    found = notification_impact([row, (*row[:2], "n2", *row[3:])], [], [])
    assert found == [("ana", "hello", FIRST, False, 0)] * 2


# Silver, and the readers


@pytest.mark.parametrize(
    ("email", "good"),
    [
        ("ana@example.com", True),
        ("A.B+c%d_e-f@sub.example.org", True),
        ("ana@example", False),
        ("ana@@example.com", False),
        ("@example.com", False),
        ("ana at example.com", False),
        ("ana@example.c", False),
        ("ana@.com", False),
        ("ana@example..com", False),
        ("", False),
    ],
)
def test_which_emails_are_well_formed(email: str, good: bool) -> None:
    assert bool(EMAIL.fullmatch(email)) is good


class Cursor:
    """Answers each query by the table it names."""

    def __init__(self, tables: dict[str, list[tuple[Any, ...]]]) -> None:
        self.tables = tables
        self.found: list[tuple[Any, ...]] = []

    def __enter__(self) -> "Cursor":
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def execute(self, query: str) -> list[tuple[Any, ...]]:
        self.found = self.tables.get(query.split(" FROM ")[1].rpartition(".")[2], [])
        return self.found

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self.found

    def cursor(self) -> "Cursor":
        return self


def test_the_valid_keys_of_silver() -> None:
    naive = datetime(2026, 10, 1, 9)  # noqa: DTZ001
    postgres = Cursor(
        {
            "users": [("u1", " ANA@EXAMPLE.COM "), ("u2", None), ("u3", "nobody@"), ("u4", "")],
            "activities": [
                ("a1", None),
                ("a2", "2026-01-05T10:00:00Z"),
                ("a3", "05/01/1955 10:00"),
                ("a4", "Jan 05, 9999 10:00 AM"),
                ("a5", "soon"),
                ("a6", "2026-13-45"),
                ("a7", "31/02/2026 10:00"),
            ],
            "groups_users_user": [("g1", "u9")],
        }
    )
    cassandra = Cursor(
        {
            "user_purchases": [("u1", naive, "p1", Decimal(1), "EUR"), ("u1", naive, "p2", Decimal(-1), "EUR")],
            "group_messages": [("g1", naive, "m1")],
        }
    )
    found = expected_silver_keys(postgres, cassandra)
    assert found["users"] == {("u1",)}
    assert found["activities"] == {("a1",), ("a2",), ("a3",), ("a4",)}
    assert found["groups_users_user"] == {("g1", "u9")}
    assert found["user_purchases"] == {("u1", ms(at("09:00:00")), "p1")}
    assert found["group_messages"] == {("g1", ms(at("09:00:00")), "m1")}
    assert len(found) == 9


def test_the_tables_come_as_sorted_rows() -> None:
    naive = datetime(2026, 10, 1, 9)  # noqa: DTZ001
    later = datetime(2026, 10, 1, 9, 5)  # noqa: DTZ001
    cassandra = Cursor({"user_session_events": [("bob", naive, "s1"), ("bob", later, "s1"), ("ana", naive, "s2")]})
    assert expected_activity(Cursor({}), cassandra) == [("ana", FIRST, 1, 0, 0, 0.0), ("bob", FIRST, 1, 300, 0, 0.0)]
    assert expected_notification_impact(Cursor({}), cassandra) == []
    assert len(Sources(Cursor({}), cassandra).events()) == 3
