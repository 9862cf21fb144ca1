"""Which tables a run makes, by the names of tables, layers and domains."""

from pathlib import Path

import pytest

from lakehouse.errors import ConfigurationError
from lakehouse.orchestrate.plan import describe, select
from lakehouse.paths import Layer
from lakehouse.registry import loader
from lakehouse.registry.loader import Registry

SOURCE = "source: {connection: app, relation: public.x}\n"


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    files = {
        "shop/orders.yml": f"{SOURCE}key: [id]\ncursor: at\nhistory: true\n",
        "shop/daily.sql": "-- grain: day\n-- rebuild_by: day\n-- narrows: {silver.orders: [to_date(at)]}\n"
        "SELECT to_date(at) AS day FROM silver.orders GROUP BY 1",
        "people/users.yml": SOURCE,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return loader.load(tmp_path)


def selected(registry: Registry, **asked: list[str] | list[Layer]) -> set[str]:
    return {target.dotted for target in select(registry, **asked)}  # type: ignore[arg-type]


ORDERS = {"raw.orders", "silver.orders", "silver.orders_history"}
USERS = {"raw.users", "silver.users"}


def test_where_nothing_is_asked_for_everything_is_made_inputs_first(registry: Registry) -> None:
    assert selected(registry) == {*ORDERS, *USERS, "gold.daily"}
    order = [target.dotted for target in select(registry)]
    assert order.index("raw.orders") < order.index("silver.orders") < order.index("gold.daily")


def test_a_table_is_asked_for_in_all_its_layers_and_its_history_comes_with_it(registry: Registry) -> None:
    assert selected(registry, tables=["orders"]) == ORDERS
    assert selected(registry, tables=["daily", "users"]) == {"gold.daily", *USERS}


def test_names_layers_and_domains_narrow_one_another(registry: Registry) -> None:
    assert selected(registry, domains=["shop"]) == {*ORDERS, "gold.daily"}
    assert selected(registry, layers=[Layer.RAW]) == {"raw.orders", "raw.users"}
    assert selected(registry, tables=["orders"], layers=[Layer.SILVER]) == {"silver.orders", "silver.orders_history"}
    assert selected(registry, tables=["users"], domains=["shop"]) == set()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"tables": ["oders"]}, r"--tables: the registry .* makes no table 'oders'\. Did you mean 'orders'\?"),
        ({"domains": ["shops"]}, r"--domains: the registry .* has no domain 'shops'\. Did you mean 'shop'\?"),
    ],
)
def test_a_name_that_is_not_there_is_told_with_a_likely_one(
    registry: Registry, asked: dict[str, list[str]], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        selected(registry, **asked)


def test_a_plan_says_how_each_table_is_made(registry: Registry) -> None:
    rows = describe(registry, [[target] for target in select(registry, domains=["shop"])])
    assert {row["table"]: row["how"] for row in rows} == {
        "raw.orders": "incremental by at from app: public.x",
        "silver.orders": "merge of raw.orders",
        "silver.orders_history": "versions of raw.orders",
        "gold.daily": "rebuilt by day from silver.orders",
    }
    assert [row["step"] for row in rows] == ["1", "2", "3", "4"]
