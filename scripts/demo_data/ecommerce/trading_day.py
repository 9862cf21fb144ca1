"""What happens on one more day of trading: which day it is, how much of everything, and when."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

from lakehouse.errors import DataError

_HISTORY_DAYS = 548

#: How often each kind of change happens, for each new order of the day. The state changes of orders keep step with them.
_RATES = {
    "customers": 0.08,
    "late": 0.03,
    "payments": 0.22,
    "cancelled": 0.04,
    "parcels": 1.0,
    "deliveries": 1.1,
    "receipts": 0.1,
    "prices": 0.03,
    "moved_products": 0.01,
    "movers": 0.03,
    "contacts": 0.02,
    "refunds": 0.055,
    "paid_out": 0.05,
    "refused": 0.006,
    "returns": 0.06,
    "received": 0.06,
    "stock_corrections": 0.02,
    "item_corrections": 0.03,
    "delivery_corrections": 0.02,
}
#: The same of what is deleted: whatever the day, no more than a few rows.
_DELETES = {"leavers": 0.006, "deleted_items": 0.015, "deleted_orders": 0.005, "deleted_return_items": 0.008}
_MOST_DELETES = 6

#: The files in `daily`, by the moment at which each is run.
_HOURS = (
    (time(1, 10), "corrections"),
    (time(5, 40), "receipts"),
    (time(6, 30), "catalogue"),
    (time(8, 15), "newcomers"),
    (time(11, 0), "orders"),
    (time(13, 0), "payments"),
    (time(15, 30), "parcels"),
    (time(17, 0), "deliveries"),
    (time(18, 30), "after_sales"),
    (time(19, 45), "customers"),
    (time(22, 30), "orders"),
    (time(23, 30), "deletes"),
)


@dataclass(frozen=True)
class Moment:
    """A transaction of the day: the file it runs, the moment it is stamped with, and values of its own."""

    name: str
    now: datetime
    numbers: dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """A day: what its draws begin with, the values that its files share, and its transactions in their order."""

    day: date
    seed: int
    numbers: dict[str, Any]
    moments: list[Moment]


def plan(cursor: Any, seed: int, orders: int | None) -> Plan:
    """The day after the last that orders are stamped with. The same seed and shop give the same plan.

    Raises:
        DataError: there are no orders.
    """
    cursor.execute("SELECT max(order_id), max(updated_at) FROM orders")
    last_id, last = cursor.fetchone()
    if last is None:
        raise DataError(
            "playing one more day of `ecommerce`: the shop holds no orders to go on from.",
            remedy="Fill it first: python -m scripts.demo_data ecommerce load",
        )
    day = last.astimezone(UTC).date() + timedelta(days=1)
    begin = datetime.combine(day, time(), UTC)
    count = max(1, round(last_id / _HISTORY_DAYS) if orders is None else orders)
    numbers = _amounts(Random(f"{seed} {day:%F}"), day, count)
    numbers |= {
        "day": begin,
        "today_id": last_id + 1,
        "recent_id": _first_since(cursor, last_id, begin - timedelta(days=14)),
        "month_id": _first_since(cursor, last_id, begin - timedelta(days=60)),
        "settled_id": _first_since(cursor, last_id, begin - timedelta(days=3)),
    }
    return Plan(day, seed * 1_000_003 + day.toordinal(), numbers, _moments(begin, count, numbers["late"]))


def _amounts(random: Random, day: date, orders: int) -> dict[str, int]:
    """How many of each; a kind that few orders would seldom bring comes every second day, a renamed category every fourth."""
    amounts = {}
    for place, (name, rate) in enumerate((_RATES | _DELETES).items()):
        amount = int(orders * rate + random.random())
        amounts[name] = max(amount, (day.toordinal() + place) % 2)
    for name in _DELETES:
        amounts[name] = min(amounts[name], _MOST_DELETES)
    return amounts | {"renamed_categories": int(day.toordinal() % 4 == 0)}


def _moments(begin: datetime, orders: int, late: int) -> list[Moment]:
    """The day's transactions; its orders come in two parts, the second with those that are entered late."""
    moments, since = [], begin
    for hour, name in _HOURS:
        now, numbers = datetime.combine(begin.date(), hour, UTC), {}
        if name == "orders":
            second = since > begin
            numbers = {"since": since, "orders": orders // 2 if second else orders - orders // 2, "late": late * second}
            since = now
        moments.append(Moment(name, now, numbers))
    return moments


def _first_since(cursor: Any, last_id: int, moment: datetime) -> int:
    """The first order placed at ``moment`` or later. Orders are numbered in their order, but for the few entered late."""
    low, high = 1, last_id + 1
    while low < high:
        middle = (low + high) // 2
        cursor.execute("SELECT placed_at FROM orders WHERE order_id >= %s ORDER BY order_id LIMIT 1", (middle,))
        if cursor.fetchone()[0] >= moment:
            high = middle
        else:
            low = middle + 1
    return low
