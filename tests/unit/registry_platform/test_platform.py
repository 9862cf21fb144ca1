"""Sessions, the funnel and companies, by hand."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import DataFrame

Transform = Callable[..., DataFrame]


def click(number: int, at: str, kind: str = "view", **more: Any) -> dict[str, Any]:
    return {
        "event_id": f"e{number}",
        "user_id": "u1",
        "event_type": kind,
        "ts": f"2026-11-01T{at}",
        "url": f"/{number}",
        **more,
    }


def sessions(
    transform: Transform, *clicks: dict[str, Any], messages: Sequence[dict[str, Any]] = ()
) -> list[dict[str, Any]]:
    texts = "url string, referrer string, user_agent string, device string, session_id string, user_id string"
    schemas = {"clicks": texts, "messages": texts}
    found = transform("fct_click_features", clicks=list(clicks), messages=list(messages), schemas=schemas)
    return [row.asDict() for row in found.orderBy("session_key").collect()]


def test_a_session_ends_with_thirty_minutes_of_silence_unless_the_source_numbers_it(transform: Transform) -> None:
    half_past = sessions(transform, click(1, "10:00:00"), click(2, "10:30:00"), click(3, "11:00:00.001"))
    assert [(row["events"], row["duration_s"], row["is_bounce"]) for row in half_past] == [
        (2, 1800, False),
        (1, 0, True),
    ]
    assert half_past[0]["session_key"] == "u1|~1793527200000"
    numbered = sessions(transform, click(1, "10:00:00", session_id="s"), click(2, "13:00:00", session_id="s"))
    assert [(row["session_key"], row["events"]) for row in numbered] == [("u1|s", 2)]
    nobody = sessions(transform, click(1, "10:00:00", session_id="s", user_id=None))
    assert [(row["session_key"], row["visitor"], row["user_id"]) for row in nobody] == [
        ("session:s|s", "session:s", None)
    ]


def test_an_event_that_comes_late_and_out_of_order_joins_two_sessions(transform: Transform) -> None:
    apart = [click(1, "10:00:00", "cart"), click(2, "10:50:00", "purchase")]
    assert len(sessions(transform, *apart)) == 2
    (joined,) = sessions(transform, *apart, click(3, "10:25:00", "checkout"))
    assert [joined[name] for name in ("views", "carts", "checkouts", "purchases")] == [0, 1, 1, 1]
    assert joined["landing_url"] == "/1"


def test_an_event_that_comes_by_files_and_as_a_message_counts_once(transform: Transform) -> None:
    both, by_message = click(1, "10:00:00"), click(2, "10:10:00", "purchase")
    (row,) = sessions(transform, both, messages=[both, by_message])
    assert (row["events"], row["views"], row["purchases"]) == (2, 1, 1)


@pytest.mark.parametrize(
    ("referrer", "domain"),
    [
        ("https://news.example.co.uk:8080/a?b", "example.co.uk"), ("http://example.com", "example.com"),
        ("https://10.0.0.1/", "direct"), ("app://x", "direct"), (None, "direct"), ("https://co.uk/", "direct"),
    ],
)  # fmt: skip
def test_where_a_visit_comes_from_is_a_registrable_domain(
    transform: Transform, referrer: str | None, domain: str
) -> None:
    (row,) = sessions(transform, click(1, "10:00:00", referrer=referrer))
    assert row["referrer_domain"] == domain


@pytest.mark.parametrize(
    ("device", "agent", "category", "robot"),
    [
        ("iPhone", "Mozilla/5.0 (Windows NT 10.0)", "mobile", False),
        (None, "Mozilla/5.0 (Windows NT 10.0)", "desktop", False),
        ("toaster", "Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X) Mobile", "tablet", False),
        (None, "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "unknown", True),
        (None, None, "unknown", False),
    ],
)
def test_a_device_is_told_by_its_name_else_by_its_program_and_robots_are_known(
    transform: Transform, device: str | None, agent: str | None, category: str, robot: bool
) -> None:
    (row,) = sessions(transform, click(1, "10:00:00", device=device, user_agent=agent))
    assert (row["device_type_category"], row["is_bot"]) == (category, robot)


def test_the_funnel_counts_sessions_without_robots(transform: Transform, assert_rows: Callable[..., None]) -> None:
    same = {"session_date": "2026-11-01", "device_type_category": "mobile", "referrer_domain": "direct"}
    rows = [
        {**same, "is_bot": False, "views": 2, "carts": 1, "checkouts": 0, "purchases": 0, "is_bounce": False},
        {**same, "is_bot": False, "views": 0, "carts": 0, "checkouts": 1, "purchases": 2, "is_bounce": True},
        {**same, "is_bot": True, "views": 9, "carts": 9, "checkouts": 9, "purchases": 9, "is_bounce": False},
    ]
    expected = {"date": "2026-11-01", "device_type_category": "mobile", "referrer_domain": "direct", "sessions": 2, "viewed": 1,
                "carted": 1, "checked_out": 1, "purchased": 1, "bounced": 1, "conversion_rate": 0.5}  # fmt: skip
    found = transform("click_funnel_daily", sessions=rows, schemas={"sessions": "session_date date"})
    assert_rows(found, [expected])


def test_a_version_of_a_company_holds_until_the_next_one_also_when_that_was_learned_first(transform: Transform) -> None:
    def version(day: int, **more: Any) -> dict[str, Any]:
        return {"startup_id": "c1", "updated_at": f"2026-11-0{day}", "currency": "USD", **more}

    rows = [version(3, stage="SERIES_A"), version(1, stage="Pre-Seed", amount_raised=100, valuation=Decimal("999999.99")),
            version(2, stage="stealth", currency="XXX", valuation=5)]  # fmt: skip
    found = transform("dim_startup", startups=rows, reporting_currency="EUR").orderBy("valid_from").collect()
    assert [row.funding_stage_score for row in found] == [1, 0, 3]
    assert [str(row.valid_to)[:10] for row in found] == ["2026-11-02", "2026-11-03", "None"]
    assert [row.is_current for row in found] == [False, False, True]
    assert [row.amount_raised for row in found] == [Decimal("92.00"), None, None]
    assert [row.valuation for row in found] == [Decimal("919999.99"), None, None]
    assert [row.valuation_bucket for row in found] == ["below 1 million", "unknown", "unknown"]
