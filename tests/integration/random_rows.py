"""Rows of all silver tables that gold reads, made by chance, and changed by chance: few values, so that rows meet."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from lakehouse.testing import local_frame

Draw = Callable[[Random], Any]
Row = dict[str, Any]

#: Days on both sides of a month's and a year's end, two in a row each, and one a while later.
_DAYS = [
    datetime(*day, tzinfo=UTC) for day in ((2025, 11, 30), (2025, 12, 1), (2025, 12, 31), (2026, 1, 1), (2026, 1, 20))
]
_HOURS = (0, 1, 12, 23)


def _moment(random: Random) -> datetime:
    late = timedelta(hours=random.choice(_HOURS), minutes=random.choice((0, 0, 20, 40)))
    return random.choice(_DAYS) + late


def _one(*values: Any) -> Draw:
    return lambda random: random.choice(values)


def _number(most: int) -> Draw:
    return lambda random: random.randint(1, most)


def _money(random: Random) -> Decimal:
    return Decimal(random.choice((0, 5, 10, 333, 1000))) / 100


def _or_none(draw: Draw) -> Draw:
    return lambda random: None if random.random() < 0.2 else draw(random)


@dataclass(frozen=True)
class Kind:
    """A silver table: its key, its columns with their types and how a value is drawn, and how many rows it has at first."""

    key: tuple[str, ...]
    columns: Mapping[str, tuple[str, Draw]]
    rows: int

    def row(self, random: Random) -> Row:
        return {name: draw(random) for name, (_, draw) in self.columns.items()}

    def key_of(self, row: Row) -> tuple[Any, ...]:
        return tuple(row[name] for name in self.key)

    def frame(self, spark: SparkSession, rows: list[Row]) -> DataFrame:
        schema = ", ".join(f"{name} {kind}" for name, (kind, _) in self.columns.items())
        return local_frame(spark, [tuple(row.values()) for row in rows], schema)


def _kind(key: str, rows: int, **columns: tuple[str, Draw]) -> Kind:
    return Kind(tuple(key.split()), columns, rows)


_WORD, _FLAG = ("string", _or_none(_one("a", "b"))), ("boolean", _or_none(_one(True, False)))
_AT, _SOME_TIME, _MONEY = ("timestamp", _moment), ("timestamp", _or_none(_moment)), ("decimal(10,2)", _money)
_CUSTOMER, _PRODUCT, _CATEGORY = _number(6), _number(6), _number(3)
_ORDER, _LINE, _PARCEL, _PLACE = _number(14), _number(24), _number(8), _number(2)
_COUNTRY = ("string", _one("DE", "FR", "IT"))
_USER = _one("ann", "ben", "cat", "dan")
_VERSION = {"valid_from": _AT, "valid_to": _SOME_TIME, "is_current": _FLAG}
_NOTED = _or_none(_one("sent", "opened", "clicked"))

KINDS: Mapping[str, Kind] = {
    "carriers": _kind("carrier_id", 2, carrier_id=("int", _PLACE), name=_WORD, promised_days=("int", _or_none(_PLACE))),
    "warehouses": _kind("warehouse_id", 2, warehouse_id=("int", _PLACE), name=_WORD, country=_WORD, city=_WORD),
    "categories": _kind(
        "category_id", 3, category_id=("int", _CATEGORY), parent_id=("int", _or_none(_CATEGORY)),
        name=("string", _one("x", "y")),
    ),
    "customers": _kind("customer_id", 5, customer_id=("bigint", _CUSTOMER), country=_COUNTRY),
    "customers_history": _kind(
        "customer_id valid_from", 8, customer_id=("bigint", _CUSTOMER), email=_WORD, birth_date=("int", _or_none(_PLACE)),
        signup_ip=_WORD, country=_WORD, marketing_opt_in=_FLAG, created_at=_SOME_TIME, **_VERSION,
    ),
    "products": _kind("product_id", 6, product_id=("int", _PRODUCT), category_id=("int", _CATEGORY)),
    "products_history": _kind(
        "product_id valid_from", 8, product_id=("int", _PRODUCT), sku=_WORD, name=_WORD, category_id=("int", _CATEGORY),
        supplier_id=("int", _or_none(_PLACE)), unit_price=_MONEY, unit_cost=_MONEY, is_active=_FLAG, **_VERSION,
    ),
    "orders": _kind(
        "order_id", 12, order_id=("bigint", _ORDER), customer_id=("bigint", _or_none(_CUSTOMER)),
        status=("string", _one("placed", "paid", "delivered", "cancelled")), country=_COUNTRY, placed_at=_AT,
    ),
    "order_items": _kind(
        "order_item_id", 20, order_item_id=("bigint", _LINE), order_id=("bigint", _ORDER), product_id=("int", _PRODUCT),
        shipment_id=("bigint", _or_none(_PARCEL)), quantity=("int", _number(3)), unit_price=_MONEY,
        unit_cost=("decimal(10,2)", _or_none(_money)), discount=_MONEY,
    ),
    "payments": _kind(
        "payment_id", 8, payment_id=("bigint", _ORDER), order_id=("bigint", _ORDER), method=_WORD,
        status=("string", _one("paid", "pending")), amount=_MONEY, paid_at=_SOME_TIME, created_at=_AT,
    ),
    "refunds": _kind(
        "refund_id", 8, refund_id=("bigint", _ORDER), order_item_id=("bigint", _LINE),
        status=("string", _one("paid_out", "paid_out", "requested", "refused")), amount=_MONEY, requested_at=_AT,
        paid_out_at=_SOME_TIME,
    ),
    "returns": _kind(
        "return_id", 4, return_id=("bigint", _PLACE), status=_WORD, reason=_WORD, returned_at=_AT,
    ),
    "return_items": _kind(
        "return_item_id", 8, return_item_id=("bigint", _ORDER), return_id=("bigint", _PLACE), order_item_id=("bigint", _LINE),
        quantity=("int", _number(3)),
    ),
    "shipments": _kind(
        "shipment_id", 6, shipment_id=("bigint", _PARCEL), order_id=("bigint", _ORDER), carrier_id=("int", _PLACE),
        warehouse_id=("int", _PLACE), shipping_cost=_MONEY, shipped_at=_AT, promised_at=_SOME_TIME, delivered_at=_SOME_TIME,
    ),
    "inventory_movements": _kind(
        "movement_id", 12, movement_id=("bigint", _LINE), product_id=("int", _PRODUCT), warehouse_id=("int", _PLACE),
        kind=("string", _one("receipt", "sale", "return", "correction")), quantity=("int", _one(-3, -1, 1, 2, 5)),
        unit_cost=_MONEY, moved_at=_AT,
    ),
    "stock_levels": _kind(
        "product_id warehouse_id", 6, product_id=("int", _PRODUCT), warehouse_id=("int", _PLACE),
        quantity=("int", _or_none(_PLACE)),
    ),
    "user_session_events": _kind(
        "user_id event_time session_id", 20, user_id=("string", _USER), event_time=_AT,
        session_id=("string", _one("s", "t", "u")),
    ),
    "group_messages": _kind(
        "group_id created_at message_id", 6, group_id=("int", _PLACE), created_at=_AT, message_id=("int", _LINE),
        user_id=("string", _or_none(_USER)),
    ),
    "user_purchases": _kind(
        "user_id purchase_time purchase_id", 6, user_id=("string", _USER), purchase_time=_AT, purchase_id=("int", _LINE),
        amount=("decimal(18,4)", _money), currency=("string", _one("EUR", "USD", "XXX")),
    ),
    "user_notifications": _kind(
        "user_id notification_time notification_id", 10, user_id=("string", _USER), notification_time=_AT,
        notification_id=("string", _one("n", "m")), content=_WORD, state=("string", _NOTED), modified_at=_SOME_TIME,
    ),
    "notification_states": _kind(
        "id", 6, id=("int", _LINE), user_id=("string", _or_none(_USER)), notification_id=("string", _or_none(_one("n", "m"))),
        status=("string", _NOTED), updated_at=_SOME_TIME,
    ),
    "clicks": _kind(
        "event_id", 14, event_id=("int", _LINE), user_id=("string", _or_none(_USER)),
        session_id=("string", _or_none(_one("s", "t"))), event_type=("string", _one("view", "cart", "checkout", "purchase")),
        url=_WORD, referrer=("string", _one(None, "https://a.example.com", "x")),
        user_agent=("string", _one(None, "Googlebot/2.1")), device=("string", _one("iPhone", "toaster", None)), ts=_AT,
    ),
    "click_messages": _kind(
        "event_id", 8, event_id=("int", _LINE), user_id=("string", _or_none(_USER)),
        session_id=("string", _or_none(_one("s", "t"))), event_type=("string", _one("view", "cart", "checkout", "purchase")),
        url=_WORD, referrer=("string", _one(None, "https://a.example.com", "x")),
        user_agent=("string", _one(None, "Googlebot/2.1")), device=("string", _one("iPhone", "toaster", None)), ts=_AT,
    ),
    "startups": _kind(
        "startup_id updated_at", 8, startup_id=("string", _USER), updated_at=_AT, name=_WORD, founded=("int", _or_none(_LINE)),
        country=_COUNTRY, stage=("string", _one("Seed", "SERIES_A", None)), amount_raised=("decimal(18,2)", _or_none(_money)),
        currency=("string", _one("EUR", "USD", "XXX", None)), valuation=("decimal(18,2)", _or_none(_money)),
        employees=("int", _or_none(_LINE)), contact_email=_WORD, is_active=_FLAG,
    ),
    "sales": _kind(
        "sale_id", 10, sale_id=("int", _ORDER), customer_id=("string", _or_none(_USER)), product=_WORD,
        quantity=("int", _or_none(_PLACE)), unit_price=("decimal(18,2)", _or_none(_money)),
        discount=("decimal(18,2)", _or_none(_money)), status=("string", _one("completed", "returned", "cancelled")),
        payment_method=_WORD, contact_email=_WORD, city=_WORD, country=_COUNTRY,
        items=("string", _one(None, None, '[{"product":"p","quantity":"2","unit_price":"1.50"},{"product":"q"}]', "[]")),
        sale_timestamp=_AT,
    ),
}  # fmt: skip


@dataclass
class Silver:
    """The rows of all tables, by their keys."""

    random: Random
    tables: dict[str, dict[tuple[Any, ...], Row]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, kind in KINDS.items():
            self.tables[name] = {}
            for _ in range(kind.rows):
                self._put(name, kind.row(self.random))

    def change(self, times: int) -> set[str]:
        """Change rows anywhere, and rows that share a value with them; returns the tables that changed."""
        changed: set[str] = set()
        for _ in range(times):
            name = self.random.choice(list(KINDS))
            row = self._any_of(list(self.tables[name].values())) or KINDS[name].row(self.random)
            changed.add(name)
            self._change(name, row)
            for other, met in self._that_meet(name, row):
                changed.add(other)
                self._change(other, met)
        return changed

    def _that_meet(self, name: str, row: Row) -> list[tuple[str, Row]]:
        """Up to two rows of other tables with the same value in one of the columns by which tables are joined."""
        joined = [column for column in row if column.endswith("_id")]
        met = [
            (other, candidate)
            for other in KINDS
            if other != name
            for candidate in self.tables[other].values()
            if any(row[column] is not None and candidate.get(column) == row[column] for column in joined)
        ]
        return self.random.sample(met, k=min(len(met), self.random.choice((0, 1, 2))))

    def _change(self, name: str, row: Row) -> None:
        """Delete the row, or change some of its columns, its key perhaps among them; or add another one."""
        kind, what = KINDS[name], self.random.random()
        if what < 0.25:
            self._put(name, kind.row(self.random))
            return
        self.tables[name].pop(kind.key_of(row), None)
        if what < 0.75:
            columns = self.random.sample(list(row), k=self.random.choice((1, 1, 2)))
            self._put(name, row | {column: kind.columns[column][1](self.random) for column in columns})

    def _put(self, name: str, row: Row) -> None:
        self.tables[name][KINDS[name].key_of(row)] = row

    def _any_of(self, rows: list[Row]) -> Row | None:
        return self.random.choice(rows) if rows else None
