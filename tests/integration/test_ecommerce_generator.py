"""The shop's generator in a real PostgreSQL: the same again, nothing that contradicts itself, and days that are played."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta
from statistics import fmean
from typing import Any

import pytest

from lakehouse.errors import DataError
from scripts.demo_data.ecommerce import generator
from scripts.demo_data.ecommerce.generator import CHANGED_AT
from tests.integration import shop_habits
from tests.integration.endpoints import PostgresEndpoint

Query = Callable[..., list[Any]]
Rows = dict[str, dict[str, tuple[str, datetime]]]

KEYS = {"stock_levels": "(product_id, warehouse_id)", "categories": "category_id", "addresses": "address_id",
        "inventory_movements": "movement_id"}  # fmt: skip
END = datetime(2026, 11, 1, tzinfo=UTC)
TABLES_OF_A_DAY = {*CHANGED_AT} - {"suppliers", "warehouses", "carriers", "promotions", "categories"}

#: What may not be found, as a condition and from where.
CONTRADICTIONS = {
    "a cancelled order that is paid, waits for its money, or has no voided payment": """
        orders o WHERE status = 'cancelled' AND (
            EXISTS (SELECT FROM payments p WHERE p.order_id = o.order_id AND status IN ('paid', 'pending'))
            OR NOT EXISTS (SELECT FROM payments p WHERE p.order_id = o.order_id AND status = 'voided'))""",
    "a parcel of an order that was not sent": """
        orders JOIN shipments USING (order_id) WHERE status NOT IN ('shipped', 'delivered')""",
    "a refund or return of an order that was not sent": """
        orders JOIN order_items USING (order_id) LEFT JOIN refunds USING (order_item_id)
        LEFT JOIN returns USING (order_id)
        WHERE orders.status NOT IN ('shipped', 'delivered') AND (refund_id IS NOT NULL OR return_id IS NOT NULL)""",
    "an order delivered that has not arrived, or the other way round": """
        orders o WHERE (status = 'delivered') <> (
            EXISTS (SELECT FROM shipments s WHERE s.order_id = o.order_id)
            AND NOT EXISTS (SELECT FROM shipments s WHERE s.order_id = o.order_id AND delivered_at IS NULL)
            AND NOT EXISTS (SELECT FROM order_items i WHERE i.order_id = o.order_id AND shipment_id IS NULL))""",
    "an order placed that does not wait for its money, or the other way round": """
        orders o WHERE (status = 'placed') <> EXISTS (
            SELECT FROM payments p WHERE p.order_id = o.order_id AND status = 'pending')""",
    "an item in the parcel of another order": """
        order_items i JOIN shipments s USING (shipment_id) WHERE i.order_id <> s.order_id""",
    "a refund of more than the item, or of another order's payment": """
        refunds r JOIN order_items i USING (order_item_id) JOIN payments p USING (payment_id)
        WHERE r.amount > quantity * unit_price - discount OR p.order_id <> i.order_id OR p.status <> 'paid'""",
    "more sent back than bought, or of another order": """
        return_items b JOIN order_items i USING (order_item_id) JOIN returns r USING (return_id)
        WHERE b.quantity NOT BETWEEN 1 AND i.quantity OR r.order_id <> i.order_id""",
    "a discount without promotion, or above the line": """
        order_items JOIN orders USING (order_id)
        WHERE discount > 0 AND promotion_id IS NULL OR discount NOT BETWEEN 0 AND quantity * unit_price""",
    "a level that is not the sum of its movements": """
        (SELECT product_id, warehouse_id, sum(quantity) AS moved FROM inventory_movements GROUP BY 1, 2) AS sums
        FULL JOIN stock_levels USING (product_id, warehouse_id) WHERE moved IS DISTINCT FROM quantity""",
    "a parcel delivered before it was sent": "shipments WHERE delivered_at <= shipped_at",
    "a payment paid without moment, or the other way round": """
        payments WHERE (status = 'paid') <> (paid_at IS NOT NULL)""",
    "a refund paid out without moment, or too early": """
        refunds WHERE (status = 'paid_out') <> (paid_out_at IS NOT NULL) OR paid_out_at <= requested_at""",
    "an e-mail address of two customers": """
        (SELECT FROM customers GROUP BY lower(email) HAVING count(*) > 1) AS twice""",
    "an order of somebody who was no customer yet": """
        orders JOIN customers USING (customer_id) WHERE placed_at < customers.created_at""",
    "a word of people in another name": """
        (SELECT name FROM products UNION ALL SELECT name FROM categories UNION ALL SELECT name FROM suppliers
         UNION ALL SELECT name FROM warehouses UNION ALL SELECT DISTINCT city FROM addresses) AS names
        WHERE EXISTS (SELECT FROM customers
                      WHERE name ILIKE '%' || first_name || '%' OR name ILIKE '%' || last_name || '%')""",
}

#: What the history promises, and from where to where it may be.
SHARES = {
    "SELECT avg((status = 'cancelled')::int) FROM orders": (0.03, 0.05),
    "SELECT avg((delivered_at > promised_at)::int) FROM shipments WHERE delivered_at IS NOT NULL": (0.10, 0.14),
    "SELECT (SELECT count(*) FROM refunds)::float / count(*) FROM orders": (0.04, 0.06),
    "SELECT (SELECT count(*) FROM returns)::float / count(*) FROM orders WHERE status = 'delivered'": (0.05, 0.07),
    "SELECT avg((family(signup_ip) = 6)::int) FROM customers WHERE signup_ip IS NOT NULL": (0.15, 0.25),
    "SELECT avg(marketing_opt_in::int) FROM customers": (0.25, 0.35),
    "SELECT avg((length(replace(card_number, ' ', '')) = 16)::int) FROM customers": (1, 1),
    """SELECT avg((level <= 0)::int) FROM (SELECT sum(quantity) OVER (PARTITION BY product_id, warehouse_id
       ORDER BY moved_at, movement_id) AS level FROM inventory_movements) AS levels""": (0.002, 0.1),
    "SELECT count(*) FROM orders": (9_700, 10_300),
}


@pytest.fixture
def connection(app_database: PostgresEndpoint) -> Iterator[Any]:
    """A connection to a database without shop, which it is left as."""
    with closing(app_database.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS shop CASCADE; SET client_min_messages = warning")
        yield connection
        cursor.execute("DROP SCHEMA IF EXISTS shop CASCADE")


@pytest.fixture
def query(connection: Any) -> Query:
    with connection.cursor() as cursor:
        cursor.execute("SET timezone = 'UTC'; SET search_path = shop")

    def run(statement: str) -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    return run


def fill(connection: Any, scale: float = 0.02, seed: int = 7) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS shop CASCADE")
    generator.create_schema(connection)
    return generator.load(connection, scale, seed)


def rows(query: Query) -> Rows:
    """All rows as text, by table and key, each with the moment of its last change."""
    return {
        table: {
            key: (text, changed)
            for key, text, changed in query(
                f"SELECT {KEYS.get(table, table.removesuffix('s') + '_id')}::text, row::text, {column} FROM {table} AS row"
            )
        }
        for table, column in CHANGED_AT.items()
    }


def contradictions(query: Query) -> list[str]:
    found = [what for what, where in CONTRADICTIONS.items() if query(f"SELECT count(*) FROM {where}")[0][0]]
    for table, column, other, key in query("""
        SELECT conrelid::regclass::text, a.attname, confrelid::regclass::text, b.attname FROM pg_constraint
        JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = conkey[1]
        JOIN pg_attribute b ON b.attrelid = confrelid AND b.attnum = confkey[1]
        WHERE contype = 'f' AND connamespace = 'shop'::regnamespace"""):
        exists = f"EXISTS (SELECT FROM {other} o WHERE o.{key} = t.{column})"
        if query(f"SELECT 1 FROM {table} t WHERE {column} IS NOT NULL AND NOT {exists} LIMIT 1"):
            found.append(f"{table}.{column} of nothing in {other}")
    for table, column in CHANGED_AT.items():
        if query(f"SELECT 1 FROM {table} WHERE {column} < created_at"):
            found.append(f"{table} changed before it was made")
    return found


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def test_a_seed_decides_every_value(connection: Any, query: Query) -> None:
    shops = []
    for seed in (7, 7, 8):
        fill(connection, seed=seed)
        generator.play_day(connection, seed)
        shops.append(rows(query))
    assert shops[0] == shops[1]
    assert all(shops[0][table] != shops[2][table] for table in TABLES_OF_A_DAY)


def test_the_history_does_not_contradict_itself(connection: Any, query: Query) -> None:
    counts = fill(connection, scale=0.1)
    assert counts == {table: query(f"SELECT count(*) FROM {table}")[0][0] for table in CHANGED_AT}
    assert contradictions(query) == []
    for table, column in CHANGED_AT.items():
        assert query(f"SELECT max({column}) FROM {table}")[0][0] < END, table
    assert query("SELECT max(moved_at) < '2026-11-01' FROM inventory_movements") == [(True,)]
    assert query("SELECT min(placed_at)::date, max(placed_at)::date FROM orders") == [
        (date(2025, 5, 2), date(2026, 10, 31))
    ]


def test_the_history_is_plausible(connection: Any, query: Query) -> None:
    fill(connection, scale=0.1)
    for share, (low, high) in SHARES.items():
        assert low <= query(share)[0][0] <= high, share


def test_four_days_are_played(connection: Any, query: Query) -> None:
    fill(connection)
    changed: set[str] = set()
    deleted: set[str] = set()
    for number in range(4):
        before = rows(query)
        day = generator.play_day(connection)
        assert day == END.date() + timedelta(days=number)
        after = rows(query)
        begin, end = midnight(day), midnight(day) + timedelta(days=1)
        newer = 0
        for table, found in after.items():
            fresh = [
                changed_at for key, (text, changed_at) in found.items() if before[table].get(key, ("",))[0] != text
            ]
            assert all(begin <= changed_at < end for changed_at in fresh), table
            gone = before[table].keys() - found.keys()
            assert len(gone) <= max(6, len(before[table]) * 0.02), table
            newer += len(fresh)
            changed |= {table} if fresh else set()
            deleted |= {table} if gone else set()
        assert newer == generator.changed_rows(connection, begin)
        assert contradictions(query) == []
    assert changed >= TABLES_OF_A_DAY | {"categories"}
    assert deleted >= {"customers", "addresses", "order_items", "orders", "payments", "return_items"}


def test_days_change_the_past(connection: Any, query: Query) -> None:
    fill(connection)
    before = dict(query("SELECT order_item_id, (quantity, unit_price)::text FROM order_items"))
    days = [midnight(generator.play_day(connection)) for _ in range(2)]
    late = "SELECT count(*) FROM {} WHERE created_at >= '{:%F}+00' AND {} < created_at - interval '1 day'"
    assert query(late.format("orders", days[0], "placed_at"))[0][0] > 0
    assert query(late.format("inventory_movements", days[0], "moved_at"))[0][0] > 0
    items = dict(query("SELECT order_item_id, (quantity, unit_price)::text FROM order_items"))
    assert any(items.get(key, was) != was for key, was in before.items())
    assert query(f"""SELECT count(*) FROM shipments WHERE updated_at >= '{days[0]:%F}+00'
                     AND delivered_at < '{days[0]:%F}+00'""")[0][0] > 0  # fmt: skip
    assert query("SELECT count(*) FROM orders WHERE customer_id IS NULL")[0][0] > 0


def test_changes_follow_the_days_orders_and_not_the_size(connection: Any, query: Query) -> None:
    changes = []
    for scale in (0.02, 0.1):
        fill(connection, scale)
        generator.play_day(connection, orders=12)
        day = generator.play_day(connection, orders=12)
        assert query(f"SELECT count(*) FROM orders WHERE created_at >= '{day:%F}+00'") == [(12,)]
        changes.append(generator.changed_rows(connection, midnight(day)))
    assert 0.6 < changes[0] / changes[1] < 1.6
    assert all(100 < count < 400 for count in changes)


def test_customers_keep_to_their_tastes(connection: Any, query: Query) -> None:
    fill(connection, scale=0.1)
    shares = shop_habits.favourite_shares(query)
    assert shares["category"][0] > 2.5 * shares["category"][1]
    assert shares["product"][0] > 1.15 * shares["product"][1]


def test_customers_order_in_rhythms_and_leave(connection: Any, query: Query) -> None:
    fill(connection, scale=0.1)
    orders = shop_habits.orders(query)
    own, together = shop_habits.variations(orders)
    assert own < 0.45
    assert together > 0.8
    days = (278, 368, 458)
    assert all(0.25 < fmean(shop_habits.labels(orders, day)) < 0.75 for day in days)
    waits = [wait for day in days for wait in shop_habits.waits(orders, day)]
    by_days, by_rhythms = (shop_habits.auc((wait[place], wait[2]) for wait in waits) for place in (0, 1))
    assert by_rhythms > by_days + 0.01
    assert fmean(silent for _, rhythms, silent in waits if rhythms > 3) > 0.95
    assert fmean(silent for _, rhythms, silent in waits if rhythms < 1) < 0.15
    last_ones = dict(query(shop_habits.LAST_ONES))
    assert last_ones[True] > 3 * last_ones[False]


def test_days_go_on_with_tastes_and_rhythms(connection: Any, query: Query) -> None:
    fill(connection, scale=0.1)
    favourites = shop_habits.favourites(query)
    late = shop_habits.overdue(shop_habits.orders(query), rhythms=4)
    last = query("SELECT max(order_id) FROM orders")[0][0]
    for _ in range(5):
        generator.play_day(connection)
    fresh = query(f"""SELECT customer_id, category_id FROM orders JOIN order_items USING (order_id)
                      JOIN products USING (product_id) WHERE order_id > {last}""")
    assert len(late) > 100
    assert not {customer for customer, _ in fresh} & late
    known = [category == favourites[customer] for customer, category in fresh if customer in favourites]
    assert fmean(known) > 0.3


def test_a_shop_without_orders_cannot_be_played(connection: Any) -> None:
    generator.create_schema(connection)
    generator.create_schema(connection)
    assert generator.is_empty(connection)
    with pytest.raises(DataError, match="no orders"):
        generator.play_day(connection)


def test_the_connection_stays_as_it_was(connection: Any) -> None:
    connection.autocommit = False
    with connection.cursor() as cursor:
        cursor.execute("SET search_path = public; SET timezone = 'Asia/Tokyo'")
        fill(connection)
        generator.play_day(connection)
        cursor.execute(
            "SELECT current_setting('search_path'), current_setting('timezone'), current_setting('shop.now')"
        )
        assert cursor.fetchone() == ("public", "Asia/Tokyo", "")
    connection.rollback()
    connection.autocommit = True
    assert not generator.is_empty(connection)
