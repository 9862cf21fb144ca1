"""The CQL of one token range."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from lakehouse.sources.cassandra.query import conditions, select_range
from lakehouse.sources.reader import Bound
from tests.unit.sources.cassandra.fakes import table

EVENTS = table(id="uuid", a__t="timestamp", tags="set<text>")
AT = datetime(2026, 1, 1, 12, 0, 0, 123_999, tzinfo=UTC)


def test_a_range_is_read_above_its_start_up_to_its_end() -> None:
    assert select_range(EVENTS, ["id", "tags"], None) == (
        'SELECT "id", to_json("tags") FROM "app"."t" WHERE token("id") > ? AND token("id") <= ?'
    )


@pytest.mark.parametrize(
    ("lower", "upper", "expected"),
    [
        (AT, None, ' AND "a""t" >= ? ALLOW FILTERING'),
        (None, AT, ' AND "a""t" < ? ALLOW FILTERING'),
        (AT, AT, ' AND "a""t" >= ? AND "a""t" < ? ALLOW FILTERING'),
        (None, None, "<= ?"),
    ],
)
def test_a_bound_stands_in_the_query_as_markers(lower: datetime | None, upper: datetime | None, expected: str) -> None:
    bound = Bound("a__t", lower, upper)
    cql = select_range(EVENTS, ["id"], bound)
    assert cql.endswith(expected)
    assert cql.count("?") == 2 + len(conditions(bound))


def test_a_moment_is_the_first_millisecond_that_is_not_before_it() -> None:
    prague = AT.astimezone(timezone(timedelta(hours=1)))
    assert conditions(Bound("a__t", prague, AT)) == [(">=", 1_767_268_800_124), ("<", 1_767_268_800_124)]
    whole = AT.replace(microsecond=123_000)
    assert conditions(Bound("a__t", whole, datetime.max.replace(tzinfo=UTC))) == [
        (">=", 1_767_268_800_123), ("<", 253_402_300_800_000)]  # fmt: skip


def test_a_bound_of_another_type_is_handed_on() -> None:
    assert conditions(Bound("n", 0, date(2026, 1, 1))) == [(">=", 0), ("<", date(2026, 1, 1))]
