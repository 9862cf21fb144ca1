"""``calendar``, rows out; it reads no table. A transformer that does is given rows: ``transform("name", orders=[{…}])``."""

from datetime import date
from typing import Any


def test_a_month_may_begin_within_a_week(transform: Any, assert_rows: Any) -> None:
    result = transform("calendar").where("date BETWEEN '2026-02-28' AND '2026-03-02'")
    assert_rows(result, [
        {"date": date(2026, 2, 28), "week": date(2026, 2, 23), "month": date(2026, 2, 1), "is_weekend": True},
        {"date": date(2026, 3, 1), "week": date(2026, 2, 23), "month": date(2026, 3, 1), "is_weekend": True},
        {"date": date(2026, 3, 2), "week": date(2026, 3, 2), "month": date(2026, 3, 1), "is_weekend": False},
    ])  # fmt: skip
