"""Which relations of a schema become tables, and why others do not."""

from pathlib import Path

import pytest

from lakehouse.errors import ConfigurationError
from lakehouse.scaffold.schema import bare_name, choose, matching, table_name


@pytest.mark.parametrize(
    ("relation", "bare", "table"),
    [
        ("public.coupons", "coupons", "coupons"),
        ("coupons", "coupons", "coupons"),
        ('public."Order Items"', "Order Items", "order_items"),
        ('"odd.schema"."odd.name"', "odd.name", "odd_name"),
        ('public."a""b"', 'a"b', "a_b"),
        ("public._log", "_log", "log"),
        ('public."2024_sales"', "2024_sales", "c2024_sales"),
        ('public."a/b"', "a/b", "a_b"),
        ("web/clicks/day=*/*.jsonl.gz", "clicks", "clicks"),
        ("orders_*.csv", "orders_", "orders"),
        ("*.csv", "files", "files"),
    ],
)
def test_a_table_is_called_as_its_relation(relation: str, bare: str, table: str) -> None:
    assert (bare_name(relation), table_name(relation)) == (bare, table)


def test_a_name_that_no_table_can_have_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"relation public\.größe: .* is not a valid name"):
        table_name("public.größe")


@pytest.mark.parametrize(
    ("like", "but", "expected"),
    [
        ([], [], ["s.orders", "s.order_items", "s.tmp_orders", 's."Users"']),
        (["order*"], [], ["s.orders", "s.order_items"]),
        (["order*", "user?"], ["*_items"], ["s.orders", 's."Users"']),
        ([], ["tmp_*", "users"], ["s.orders", "s.order_items"]),
    ],
)
def test_patterns_are_of_names_without_schema_and_case(like: list[str], but: list[str], expected: list[str]) -> None:
    assert matching(["s.orders", "s.order_items", "s.tmp_orders", 's."Users"'], like, but) == expected


def test_what_has_a_file_or_no_name_is_left_alone(tmp_path: Path) -> None:
    registry = tmp_path / "registry"
    for path in ("shop/mine.yml", "other/deep/theirs.yaml", "shop/view.sql"):
        (registry / path).parent.mkdir(parents=True, exist_ok=True)
        (registry / path).write_text("")
    relations = ["s.mine", "s.theirs", "s.view", "s.größe", 's."Twice"', "s.twice"]
    choice = choose(relations, registry, "shop", overwrite=False)
    assert [(table.name, table.relation) for table in choice.tables] == [("view", "s.view"), ("twice", 's."Twice"')]
    assert choice.tables[0].path == registry / "shop" / "view.yml"
    assert choice.left_alone == {
        "s.mine": "registry/shop/mine.yml is there",
        "s.theirs": "registry/other/deep/theirs.yaml is there",
        "s.größe": "its name is none of the lake; register it by a name of its own",
        "s.twice": 'twice is the table of s."Twice"; register it by another name',
    }
    again = choose(relations, registry, "shop", overwrite=True)
    assert [table.name for table in again.tables] == ["mine", "view", "twice"]
    assert "s.theirs" in again.left_alone
