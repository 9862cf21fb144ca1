"""From where the next load reads: ties, open transactions, clocks that are set back, far futures, sequences with caches."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from lakehouse.raw.watermark import DateWatermark, IntegerWatermark, MomentWatermark, Seen, Watermark, advanced
from lakehouse.sources.relation import CursorKind

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR, DAY, NONE = timedelta(hours=1), timedelta(days=1), timedelta(0)


def seen(highest: Any, settled: datetime | None = NOON, **more: Any) -> Seen:
    return Seen(highest, settled, **{"nothing_open": True, **more})


def moment(highest: datetime | None, before: MomentWatermark | None = None, **more: Any) -> Any:
    overlap, slack = more.pop("overlap", NONE), more.pop("slack", NONE)
    return advanced(CursorKind.MOMENT, before, seen(highest, **more), overlap, slack)


def test_a_row_at_the_highest_moment_is_read_again_so_that_none_of_its_twins_is_missed() -> None:
    assert moment(NOON - HOUR).lower == NOON - HOUR


def test_a_transaction_that_is_open_holds_the_bound_where_it_began() -> None:
    began = NOON - 3 * HOUR
    assert moment(NOON, settled=began, nothing_open=False).lower == began


def test_a_far_future_does_not_lift_the_bound_above_what_was_settled() -> None:
    mark = moment(datetime(9999, 12, 31, tzinfo=UTC))
    assert (mark.highest.year, mark.lower) == (9999, NOON)
    assert moment(NOON + HOUR, mark, settled=NOON + 2 * HOUR).lower == NOON + 2 * HOUR


def test_the_hour_that_a_clock_shows_twice_is_read_twice() -> None:
    """02:30 of a naive clock came before or after it was set back: which one, nobody knows."""
    assert moment(NOON, slack=HOUR).lower == NOON - HOUR


def test_overlap_and_slack_add_up() -> None:
    assert moment(NOON, overlap=DAY, slack=HOUR).lower == NOON - DAY - HOUR


def test_a_look_without_rows_keeps_what_was_seen() -> None:
    assert moment(None, moment(NOON - DAY)).lower == NOON - DAY
    assert moment(None).lower is None


def test_lower_rows_than_before_do_not_move_the_watermark_back() -> None:
    before = moment(NOON - HOUR)
    assert moment(NOON - DAY, before).lower == NOON - HOUR


def test_when_it_is_not_known_what_was_on_its_way_the_next_load_begins_at_the_beginning() -> None:
    mark = moment(NOON, settled=None, nothing_open=False)
    assert (mark.highest, mark.lower) == (NOON, None)


def test_an_overlap_longer_than_time_itself_begins_with_time() -> None:
    assert moment(datetime(1, 1, 3, tzinfo=UTC), overlap=timedelta(days=1000)).lower == datetime(1, 1, 2, tzinfo=UTC)


@given(
    highest=st.datetimes(min_value=datetime(1, 1, 1), max_value=datetime(9999, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
    settled=st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    overlap=st.timedeltas(min_value=NONE, max_value=timedelta(days=4000)),
)
def test_no_row_above_the_bound_was_unseen_and_settled(
    highest: datetime, settled: datetime, overlap: timedelta
) -> None:
    mark = moment(highest, settled=settled, nothing_open=False, overlap=overlap)
    assert mark.lower <= min(highest, settled)
    assert min(highest, settled) - mark.lower <= overlap or mark.lower.year == 1


@pytest.mark.parametrize(
    ("highest", "overlap", "lower"),
    [
        (date(2026, 2, 27), NONE, date(2026, 2, 27)),
        (date(2026, 3, 1), NONE, date(2026, 2, 28)),  # another zone may still write the day before
        (date(9999, 1, 1), NONE, date(2026, 2, 28)),
        (date(2026, 2, 20), HOUR, date(2026, 2, 19)),  # a part of a day is a day
        (date(2026, 2, 20), 2 * DAY, date(2026, 2, 18)),
        (date(1, 1, 1), 9 * DAY, date(1, 1, 1)),
    ],
)
def test_a_day_is_bound_by_the_day_before_what_was_settled(highest: date, overlap: timedelta, lower: date) -> None:
    mark = advanced(CursorKind.DATE, None, seen(highest), overlap, NONE)
    assert isinstance(mark, DateWatermark)
    assert mark.lower == lower


def integer(seen_: Seen, before: IntegerWatermark | None = None, slack: int = 0, earlier: Any = ()) -> Any:
    return advanced(CursorKind.INTEGER, before, seen_, NONE, slack, earlier)


def test_with_no_transaction_open_the_next_load_starts_at_what_was_visible_before_they_were_looked_at() -> None:
    assert integer(seen(120, floor=100)).lower == 100


def test_an_open_transaction_drew_its_numbers_above_all_that_was_visible_before_it_began() -> None:
    earlier = [(NOON - HOUR, 90), (NOON - 2 * HOUR, 80), (NOON - 3 * HOUR, 70)]
    open_since = seen(120, settled=NOON - 90 * timedelta(minutes=1), nothing_open=False, floor=100)
    assert integer(open_since, earlier=earlier).lower == 80
    assert integer(seen(120, settled=NOON - DAY, nothing_open=False, floor=100), earlier=earlier).lower is None


def test_numbers_that_sessions_were_handed_ahead_are_waited_for() -> None:
    """A sequence with CACHE 20 and three sessions: one of them may still use a number that is 57 behind."""
    assert integer(seen(120, floor=100), slack=57).lower == 43


def test_where_rows_show_at_once_the_highest_number_is_the_bound() -> None:
    without = seen(120, has_transactions=False)
    assert (integer(without).lower, integer(without).floor) == (120, 120)
    assert integer(seen(90, has_transactions=False), integer(without)).lower == 120


def test_a_cursor_of_another_kind_begins_anew() -> None:
    assert advanced(CursorKind.INTEGER, moment(NOON), seen(5, floor=4), NONE, 0).highest == 5


@pytest.mark.parametrize(
    "mark",
    [
        MomentWatermark(highest=NOON, lower=NOON - HOUR),
        DateWatermark(highest=date(2026, 1, 2), lower=date(2026, 1, 1)),
        IntegerWatermark(highest=2**62, lower=-3, floor=7),
        IntegerWatermark(),
    ],
)
def test_a_watermark_is_read_back_as_it_was_written(mark: Any) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(Watermark)
    assert adapter.validate_json(mark.model_dump_json(exclude_none=True)) == mark
