"""A shop for a test, in a database of its own, so that no other test's shop is touched."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.conftest import ROOT
from tests.integration.endpoints import PostgresEndpoint

SCHEMA = ROOT / "scripts" / "demo_data" / "ecommerce" / "schema.sql"
TINY = Path(__file__).with_name("tiny_shop.sql")
#: What each row has and no test is about.
STAMPS = """
DO $$ DECLARE found record; BEGIN
    FOR found IN SELECT table_name, column_name FROM information_schema.columns
        WHERE table_schema = 'shop' AND column_name IN ('created_at', 'updated_at') LOOP
        EXECUTE format('ALTER TABLE shop.%I ALTER %I SET DEFAULT now()', found.table_name, found.column_name);
    END LOOP;
END $$"""


def run(connection: Any, statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)


@contextmanager
def tiny_shop(endpoint: PostgresEndpoint) -> Iterator[Any]:
    """A connection to the shop of tiny_shop.sql, whose session is far from UTC: days are UTC's, whoever asks."""
    name = "shop_oracle"
    with closing(endpoint.connect()) as admin:
        run(admin, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")  # of a test that was killed
        run(admin, f"CREATE DATABASE {name}")
        with closing(replace(endpoint, database=name).connect()) as connection:
            for text in (SCHEMA.read_text(), STAMPS, TINY.read_text(), "SET timezone = 'Pacific/Auckland'"):
                run(connection, text)
            yield connection
        run(admin, f"DROP DATABASE {name} WITH (FORCE)")


def without_customers(shop: Any, customers: int) -> None:
    """Leave the shop its products, and new customers who have not ordered; moments without zone are UTC again."""
    run(shop, "SET timezone = 'UTC'")
    run(shop, "TRUNCATE orders, customers CASCADE")
    run(
        shop,
        "INSERT INTO customers (customer_id, email, country, marketing_opt_in)"
        " SELECT n, '', 'FR', false FROM generate_series(1, %s) n",
        customers,
    )
