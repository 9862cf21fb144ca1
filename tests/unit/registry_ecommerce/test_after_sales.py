"""Refunds and returns: on which day they stand, whose they are, and whether they count."""

from datetime import UTC, date, datetime
from typing import Any

MARCH = datetime(2026, 3, 1, tzinfo=UTC)
BEGINNING, END = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
CUSTOMERS = [
    {"customer_key": 71, "customer_id": 7, "lookup_from": BEGINNING, "lookup_to": MARCH},
    {"customer_key": 72, "customer_id": 7, "lookup_from": MARCH, "lookup_to": END},
]
ITEMS = [
    {"order_item_id": 10, "order_id": 1, "customer_id": 7, "shipment_id": 4, "country": "DE", "is_cancelled": False},
    {"order_item_id": 20, "order_id": 2, "customer_id": 7, "shipment_id": 5, "country": "DE", "is_cancelled": True},
    {"order_item_id": 30, "order_id": 3, "customer_id": None, "shipment_id": 6, "country": "FR", "is_cancelled": False},
]


def test_a_refund_counts_on_the_day_of_its_payment_for_an_order_that_counts(transform: Any, assert_rows: Any) -> None:
    asked, paid = "2026-02-20T12:00:00", "2026-03-02T00:00:00"
    refunds = [
        (1, 10, "paid_out", paid),
        (2, 10, "requested", None),
        (3, 20, "paid_out", paid),
        (4, 30, "refused", None),
    ]
    names = ["refund_id", "order_item_id", "status", "paid_out_at"]
    result = transform(
        "fct_refunds",
        refunds=[dict(zip(names, values, strict=True)) | {"requested_at": asked, "amount": 5} for values in refunds],
        items=ITEMS,
        customers=CUSTOMERS,
    )
    names = ["refund_id", "refund_date", "date_key", "customer_key", "product_key", "country", "counts"]
    assert_rows(result.select(*names), [dict(zip(names, values, strict=True)) for values in [
        (1, date(2026, 3, 2), 20260302, 72, -1, "DE", True),
        (2, date(2026, 2, 20), 20260220, 71, -1, "DE", False),
        (3, date(2026, 3, 2), 20260302, 72, -1, "DE", False),
        (4, date(2026, 2, 20), 20260220, -1, -1, "FR", False),
    ]])  # fmt: skip


def test_a_line_of_a_return_stands_on_the_day_of_the_return_whatever_its_status(
    transform: Any, assert_rows: Any
) -> None:
    result = transform(
        "fct_returns",
        returns=[{"return_id": 1, "status": "announced", "reason": "too small", "returned_at": "2026-02-28T23:59:59"}],
        return_items=[
            {"return_item_id": 11, "return_id": 1, "order_item_id": 10, "quantity": 2},
            {"return_item_id": 12, "return_id": 1, "order_item_id": 20, "quantity": 1},
            {"return_item_id": 13, "return_id": 9, "order_item_id": 10, "quantity": 1},  # of a return that is not there
        ],
        items=ITEMS,
        customers=CUSTOMERS,
    )
    common = {"return_id": 1, "return_date": date(2026, 2, 28), "date_key": 20260228, "customer_key": 71,
              "product_key": -1, "customer_id": 7, "status": "announced", "reason": "too small"}  # fmt: skip
    assert_rows(result, [
        {"return_item_id": 11, "order_item_id": 10, "order_id": 1, "shipment_id": 4, "quantity": 2, "is_cancelled": False,
         **common},
        {"return_item_id": 12, "order_item_id": 20, "order_id": 2, "shipment_id": 5, "quantity": 1, "is_cancelled": True,
         **common},
    ])  # fmt: skip
