"""What gold of the sales in `platform` must hold, asked of the documents, in plain Python; see :mod:`tests.oracles.platform`.

- A sale needs a moment and a known status. Others count nowhere.
- A document of version 1 has one line, one of version 2 those in its ``items``. The discount is of the whole sale.
"""

import hashlib
import hmac
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

from tests.oracles.platform import moment

_CENT = Decimal("0.01")
_STATUSES = {"completed", "returned", "cancelled"}


class Line(NamedTuple):
    product: str
    quantity: int
    unit_price: Decimal


class Sale(NamedTuple):
    sale_id: str
    customer: str | None
    status: str
    method: str | None
    at: datetime
    lines: tuple[Line, ...]
    discount: Decimal
    contact: str
    city: str
    country: str

    @property
    def amount(self) -> Decimal:
        return sum((line.quantity * line.unit_price for line in self.lines), Decimal(0)) - self.discount


def sales(documents: Iterable[Mapping[str, Any]], pseudonym_key: bytes) -> list[Sale]:
    """The sales that count."""
    found = []
    for document in documents:
        said = document["sale_timestamp"]
        at = said.replace(tzinfo=UTC) if isinstance(said, datetime) else moment(said)
        if at is None or document["status"] not in _STATUSES:
            continue
        lines = tuple(
            Line(item["product"], int(item["quantity"]), _decimal(item["unit_price"]))
            for item in document.get("items") or [document]
        )
        contact = hmac.new(pseudonym_key, document["contact_email"].encode(), hashlib.sha256).hexdigest()
        discount = Decimal(0) if document["discount"] is None else _decimal(document["discount"])
        store = document["store"]
        found.append(
            Sale(document["sale_id"], document["customer_id"], document["status"], document["payment_method"], at, lines,
                 discount, contact, store["city"], store["country"])
        )  # fmt: skip
    return found


def _decimal(value: Any) -> Decimal:
    return Decimal(str(value)).quantize(_CENT)


def fct_sales(found: Iterable[Sale]) -> dict[tuple[str, int], tuple[Any, ...]]:
    """By sale and line: product, quantity, unit price, amount, discount, status, method, store, moment and day."""
    rows = {}
    for sale in found:
        for place, line in enumerate(sale.lines, start=1):
            discount = sale.discount if place == 1 else Decimal("0.00")
            rows[sale.sale_id, place] = (
                sale.customer, line.product, line.quantity, line.unit_price, line.quantity * line.unit_price,
                discount.quantize(_CENT), sale.status, sale.method, sale.city, sale.country, sale.at, sale.at.date(),
            )  # fmt: skip
    return rows


def dim_buyer(found: Iterable[Sale]) -> dict[str, tuple[Any, ...]]:
    """By buyer: contact, city, country, first and last sale."""
    rows = {}
    for customer, own in _by_customer(found).items():
        newest = max(own, key=lambda sale: (sale.at, sale.sale_id))
        counts = [sale.at for sale in own if sale.status != "cancelled"]
        ends = (min(counts), max(counts)) if counts else (None, None)
        rows[customer] = (newest.contact, newest.city, newest.country, *ends)
    return rows


def agg_customer_metrics(found: Iterable[Sale]) -> dict[str, tuple[Any, ...]]:
    """By buyer, as agg_customer_metrics has it."""
    every = list(found)
    last_of_all = max(sale.at for sale in every).date()
    rows = {}
    for customer, own in _by_customer(every).items():
        counts = [sale for sale in own if sale.status != "cancelled"]
        if not counts:
            continue
        completed = [sale.amount for sale in counts if sale.status == "completed"]
        revenue = sum(completed, Decimal("0.00"))
        mean = (revenue / len(completed)).quantize(_CENT, ROUND_HALF_UP) if completed else None
        methods = Counter(sale.method for sale in counts if sale.method)
        favourite = min(methods, key=lambda method: (-methods[method], method)) if methods else None
        first, last = min(sale.at for sale in counts), max(sale.at for sale in counts)
        products = {line.product for sale in counts for line in sale.lines}
        rows[customer] = (
            len(counts), revenue, mean, first, last, (last_of_all - last.date()).days, len(products),
            (len(counts) - len(completed)) / len(counts), favourite,
        )  # fmt: skip
    return rows


def _by_customer(found: Iterable[Sale]) -> dict[str, list[Sale]]:
    groups: dict[str, list[Sale]] = defaultdict(list)
    for sale in found:
        if sale.customer is not None:
            groups[sale.customer].append(sale)
    return groups
