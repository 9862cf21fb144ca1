from datetime import UTC, date, datetime

import pytest

from lakehouse.errors import ConfigurationError, ExitCode
from lakehouse.orchestrate.runs import DayRange, Plan, Status, TableRun, exit_code, worst

WEEK = DayRange(start=date(2026, 10, 25), end=date(2026, 10, 31))


def test_no_days_are_none() -> None:
    assert DayRange.parse("", "") is None


def test_the_last_day_of_a_range_is_included() -> None:
    window = WEEK.window()
    assert (window.start, window.end) == (datetime(2026, 10, 25, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2026-10-25", "", "come together"),
        ("", "2026-10-25", "come together"),
        ("x", "y", "expected days like 2026-10-31"),
        ("2026-10-26", "2026-10-25", "is after"),
    ],
)
def test_days_that_are_no_range_are_refused(start: str, end: str, expected: str) -> None:
    with pytest.raises(ConfigurationError, match=expected):
        DayRange.parse(start, end)


def test_a_full_refresh_of_a_range_of_days_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="the days before and after would be lost"):
        Plan(full_refresh=True, window=WEEK)


def test_the_worst_of_the_codes_of_the_tables_that_failed_is_the_runs() -> None:
    ends = [
        TableRun(table="raw.a", status=Status.FAILED, exit_code=1),
        TableRun(table="raw.b", status=Status.FAILED, exit_code=3),
        TableRun(table="raw.c", status=Status.SUCCEEDED),
    ]
    assert exit_code(ends) is ExitCode.SYSTEM_FAILURE
    assert exit_code(ends[:1]) is ExitCode.DATA_FAILURE
    assert exit_code(ends[2:]) is ExitCode.SUCCESS
    assert worst([ExitCode.SYSTEM_FAILURE, ExitCode.ALREADY_RUNNING]) is ExitCode.ALREADY_RUNNING
