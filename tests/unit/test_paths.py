import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse import paths
from lakehouse.errors import ConfigurationError


def test_a_table_name_is_spelled_quoted_for_sql() -> None:
    assert str(paths.silver("users")) == "`iceberg`.`silver`.`users`"
    assert paths.TableName.parse("gold.sales") == paths.gold("sales")


@pytest.mark.parametrize("name", ["../etc", "a;drop table b", "Users", "", "1st", "a b", "a`b", "ä", "a" * 200])
def test_a_name_that_could_reach_sql_or_a_path_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"\[a-z\]\[a-z0-9_\]\*"):
        paths.raw(name)


def test_an_unknown_layer_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ConfigurationError, match="raw, silver, gold, quarantine, ops"):
        paths.TableName.parse("bronze.users")


@pytest.mark.parametrize(
    ("source", "lake"),
    [
        ("id", "id"),
        ("OrderID", "orderid"),
        ("Order ID", "order_id"),
        ('q"uote', "q_uote"),
        ("größe", "größe"),
        ("2nd", "c2nd"),
        ("%", "column"),
        ("a--b", "a_b"),
    ],
)
def test_column_names_keep_letters_and_lose_what_needs_quoting(source: str, lake: str) -> None:
    assert paths.column_name(source) == lake


def test_column_names_that_collide_are_told_apart_and_plain_ones_keep_theirs() -> None:
    assert paths.column_names(["A b", "a_b", "a-b", "_op"]) == ["a_b_2", "a_b", "a_b_3", "_op_2"]


@given(st.lists(st.text(min_size=1), unique=True, max_size=20))
def test_column_names_are_unique_and_never_the_engine_s(sources: list[str]) -> None:
    names = paths.column_names(sources)
    assert len(set(names)) == len(sources)
    assert not set(names) & set(paths.ENGINE_COLUMNS)
