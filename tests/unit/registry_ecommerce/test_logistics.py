"""Parcels and how well carriers deliver them, against numbers worked out by hand."""

from datetime import UTC, date, datetime, timedelta
from typing import Any


def test_a_parcel_knows_its_week_its_hours_and_what_was_in_it(transform: Any, assert_rows: Any) -> None:
    """It left on a Sunday and arrived at the promised moment; the other one is on its way and empty."""
    parcel = {"order_id": 1, "carrier_id": 3, "warehouse_id": 3, "shipping_cost": "4.90",
              "shipped_at": "2026-02-01T23:30:00", "promised_at": "2026-02-03T00:00:00"}  # fmt: skip
    result = transform(
        "fct_shipments",
        shipments=[
            {**parcel, "shipment_id": 1, "delivered_at": "2026-02-03T00:00:00"},
            {**parcel, "shipment_id": 2},
        ],
        items=[
            {"shipment_id": 1, "quantity": 2, "gmv": "20.00"},
            {"shipment_id": 1, "quantity": 1, "gmv": "5.50"},
            {"shipment_id": None, "quantity": 7, "gmv": "70.00"},
        ],
        returns=[{"shipment_id": 1, "quantity": 1}, {"shipment_id": 1, "quantity": 1}],
        schemas={"items": "gmv decimal(18,2)"},
    )
    three = 3286614479096879038  # as in dim_carrier: XXH64 of '3'
    common = {"order_id": 1, "ship_date": "2026-02-01", "ship_week": "2026-01-26", "date_key": 20260201,
              "promised_date_key": 20260203, "carrier_key": three, "warehouse_key": three, "carrier_id": 3,
              "shipped_at": "2026-02-01T23:30:00", "shipping_cost": "4.90"}  # fmt: skip
    assert_rows(result, [
        {"shipment_id": 1, "delivered_at": "2026-02-03T00:00:00", "delivered_date_key": 20260203, "delivery_hours": 24.5,
         "is_on_time": True, "units": 3, "gmv": "25.50", "returned_units": 2, **common},
        {"shipment_id": 2, "delivered_at": None, "delivered_date_key": -1, "delivery_hours": None,
         "is_on_time": None, "units": 0, "gmv": "0.00", "returned_units": 0, **common},
    ])  # fmt: skip


def test_a_carrier_s_week_is_that_of_what_left_and_its_rates_those_of_what_arrived(
    transform: Any, assert_rows: Any
) -> None:
    first, second = date(2026, 1, 26), date(2026, 2, 2)
    arrived = datetime(2026, 2, 5, tzinfo=UTC)
    names = ["ship_week", "order_id", "delivered_at", "delivery_hours", "is_on_time", "shipping_cost", "units", "gmv",
             "returned_units"]  # fmt: skip
    parcels = [
        (first, 1, arrived, 10.0, True, "4.00", 2, "20.00", 1),
        (first, 1, arrived, 20.0, True, "3.02", 1, "10.00", 0),
        (first, 2, arrived, 30.0, False, "5.00", 1, "10.00", 0),
        (first, 3, arrived, 50.0, None, "1.00", 0, "0.00", 0),  # nothing was promised, so it was not on time
        (first, 4, None, None, None, "2.00", 4, "10.00", 4),  # on its way
        (second, 5, None, None, None, "2.50", 0, "0.00", 0),
    ]
    shipments = [
        {
            "carrier_id": 3,
            "shipped_at": arrived - timedelta(hours=values[3] or 0),
            **dict(zip(names, values, strict=True)),
        }
        for values in parcels
    ]
    result = transform(
        "logistics_performance",
        shipments=shipments,
        carriers=[{"carrier_id": 3, "name": "Snail"}],
        schemas={"shipments": "shipping_cost decimal(18,2), gmv decimal(18,2)"},
    )
    common = {"carrier_id": 3, "carrier": "Snail"}
    nothing = ["delivery_hours_mean", "delivery_hours_median", "delivery_hours_p90", "on_time_rate", "return_rate"]
    assert_rows(result, [
        # p90: 0.9 × 3 gaps = 2.7, so 30 + 0.7 × 20; a fourth of 15.02 is 3.755, half up
        {**common, "week": first, "parcels": 5, "delivered_parcels": 4, "delivery_hours_mean": 27.5,
         "delivery_hours_median": 25.0, "delivery_hours_p90": 44.0, "on_time_rate": 0.5, "return_rate": 0.25,
         "shipping_cost": "15.02", "shipping_cost_per_order": "3.76", "shipping_cost_over_gmv": 15.02 / 50},
        {**common, **dict.fromkeys(nothing), "week": second, "parcels": 1, "delivered_parcels": 0,
         "shipping_cost": "2.50", "shipping_cost_per_order": "2.50", "shipping_cost_over_gmv": None},
    ], precision=1e-12)  # fmt: skip
