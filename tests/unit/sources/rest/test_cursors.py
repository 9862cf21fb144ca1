"""What a cursor's text says, and what an API is asked for."""

from datetime import UTC, date, datetime

import pytest

from lakehouse.sources.reader import Value
from lakehouse.sources.relation import CursorKind
from lakehouse.sources.rest.cursors import asked_from, kind_of, moment, typed, whole

AT = datetime(2026, 3, 1, 10, 0, 0, 250_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-03-01T10:00:00.25Z", AT),
        ("2026-03-01 10:00:00.250", AT),
        ("2026-03-01T12:00:00.250000999+02:00", AT),
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        ("1772359200250", AT),
        ("1772359200", AT.replace(microsecond=0)),
        ("0", datetime(1970, 1, 1, tzinfo=UTC)),
        ("-1", None),
        ("99999999999999999999", None),
        ("soon", None),
        ("2026-13-01", None),
        ("", None),
    ],
)
def test_a_moment_is_iso_8601_or_a_number_since_1970(text: str, at: datetime | None) -> None:
    assert moment(text) == at


def test_whole_numbers_are_of_64_bits_and_of_plain_digits() -> None:
    texts = ["7", "-7", str(2**63 - 1), str(2**63), "1.0", "٧", "x", "", "-", "9" * 5_000]
    assert [whole(text) for text in texts] == [7, -7, 2**63 - 1, *[None] * 7]


def test_what_is_of_another_type_is_null() -> None:
    assert typed(["2026-03-01", None, "7"], CursorKind.DATE).to_pylist() == [date(2026, 3, 1), None, None]
    assert typed(["2026-03-01", "7"], CursorKind.INTEGER).to_pylist() == [None, 7]


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        (["7", None, "8"], CursorKind.INTEGER),
        (["2026-03-01"], CursorKind.DATE),
        (["2026-03-01", "2026-03-01T10:00:00Z"], CursorKind.MOMENT),
        ([], CursorKind.MOMENT),
        (["x"], CursorKind.MOMENT),
    ],
)
def test_the_first_cursors_say_of_what_kind_they_are(texts: list[str | None], kind: CursorKind) -> None:
    assert kind_of(texts) is kind


@pytest.mark.parametrize(
    ("lower", "written", "asked"),
    [
        (AT, "iso8601", "2026-03-01T09:59:59Z"),
        (AT, "date", "2026-02-28"),
        (AT, "epoch_s", "1772359199"),
        (AT, "epoch_ms", "1772359199000"),
        (date(2026, 3, 1), "iso8601", "2026-02-28T23:59:59Z"),
        (date(2026, 3, 1), "date", "2026-02-28"),
        (7, "iso8601", "6"),
    ],
)
def test_an_api_is_asked_from_a_little_earlier_on(lower: Value, written: str, asked: str) -> None:
    assert asked_from(lower, written) == asked
