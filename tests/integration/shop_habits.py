"""What can be learnt from the shop's orders, in numbers: how far tastes, rhythms and leaving show in its tables."""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable
from itertools import pairwise
from random import Random
from statistics import fmean, median, stdev
from typing import Any

Query = Callable[..., list[Any]]
Orders = dict[int, list[float]]

DAYS = 548
LINES = """SELECT customer_id, category_id, product_id FROM orders JOIN order_items USING (order_id)
           JOIN products USING (product_id) WHERE customer_id IS NOT NULL ORDER BY order_item_id"""
#: How many orders that were long ago were cancelled or sent back (or not), and how many of them were the customer's last.
LAST_ONES = """
    SELECT bad, avg((NOT EXISTS (SELECT FROM orders o WHERE o.customer_id = b.customer_id AND o.placed_at > b.placed_at))::int)
    FROM (SELECT *, status = 'cancelled' OR order_id IN (SELECT order_id FROM returns) AS bad FROM orders
          WHERE placed_at < '2026-05-01') AS b GROUP BY bad ORDER BY bad"""


def orders(query: Query) -> Orders:
    """The moments of each customer's orders, in days since the history began."""
    found: Orders = defaultdict(list)
    for customer, day in query("""
        SELECT customer_id, extract(epoch FROM placed_at - '2025-05-02 00:00+00')::float / 86400 FROM orders
        WHERE customer_id IS NOT NULL ORDER BY customer_id, placed_at"""):
        found[customer].append(day)
    return found


def favourite_shares(query: Query) -> dict[str, tuple[float, float]]:
    """Which share of a customer's lines is the favourite category, and of that category's the favourite product.

    The second number of each is what it would be, had the same lines fallen to customers by chance: those of all categories,
    those of the same category.
    """
    lines = query(LINES)
    shuffled = [category for _, category, _ in lines]
    Random(7).shuffle(shuffled)
    by_chance = defaultdict(list)
    for _, category, product in lines:
        by_chance[category].append(product)
    for products in by_chance.values():
        Random(7).shuffle(products)
    return {
        "category": (
            _favourite((customer, category) for customer, category, _ in lines),
            _favourite((line[0], category) for line, category in zip(lines, shuffled, strict=True)),
        ),
        "product": (
            _favourite(((customer, category), product) for customer, category, product in lines),
            _favourite(((customer, category), by_chance[category].pop()) for customer, category, _ in lines),
        ),
    }


def variations(found: Orders) -> tuple[float, float]:
    """Deviation of the days between orders, over their mean: of one customer (the median of all), and of all together."""
    pauses = {customer: _pauses(days) for customer, days in found.items() if len(days) > 6}
    together = [pause for of_one in pauses.values() for pause in of_one]
    return median(stdev(own) / fmean(own) for own in pauses.values()), stdev(together) / fmean(together)


def labels(found: Orders, day: float) -> list[bool]:
    """Of each who ordered in the 180 days before ``day``: whether the next 90 days pass without an order."""
    recent = [days for days in found.values() if any(day - 180 <= moment < day for moment in days)]
    return [_silent(days, day) for days in recent]


def waits(found: Orders, day: float) -> list[tuple[float, float, bool]]:
    """The same of who has ordered twice at least: days since the last order, the same over the mean of the days between
    their orders, and the label."""
    rows = []
    for days in found.values():
        before = [moment for moment in days if moment < day]
        if len(before) > 1 and before[-1] >= day - 180:
            wait = day - before[-1]
            rows.append((wait, wait / max(1, fmean(_pauses(before))), _silent(days, day)))
    return rows


def auc(scores: Iterable[tuple[float, bool]]) -> float:
    """How often who is silent has a higher score than who is not."""
    ordered = sorted(scores)
    silent = [place for place, (_, label) in enumerate(ordered, 1) if label]
    return (sum(silent) - len(silent) * (len(silent) + 1) / 2) / (len(silent) * (len(ordered) - len(silent)))


def overdue(found: Orders, rhythms: float) -> set[int]:
    """Who has ordered four times at least, and waits at the end of the history longer than ``rhythms`` of their means."""
    many = {customer: days for customer, days in found.items() if len(days) >= 4}
    return {customer for customer, days in many.items() if DAYS - days[-1] > rhythms * max(1, fmean(_pauses(days)))}


def favourites(query: Query) -> dict[int, int]:
    """The category of most lines of each customer with ten lines or more."""
    counts: dict[int, Counter[int]] = defaultdict(Counter)
    for customer, category, _ in query(LINES):
        counts[customer][category] += 1
    return {
        customer: max(counter, key=counter.__getitem__) for customer, counter in counts.items() if counter.total() >= 10
    }


def _silent(days: list[float], day: float) -> bool:
    return not any(day <= moment < day + 90 for moment in days)


def _pauses(days: list[float]) -> list[float]:
    return [after - before for before, after in pairwise(days)]


def _favourite(pairs: Iterable[tuple[Hashable, int]]) -> float:
    """The share of the most frequent value, over all that have ten at least."""
    counts: dict[Hashable, Counter[int]] = defaultdict(Counter)
    for owner, value in pairs:
        counts[owner][value] += 1
    many = [counter for counter in counts.values() if counter.total() >= 10]
    return sum(max(counter.values()) for counter in many) / sum(counter.total() for counter in many)
