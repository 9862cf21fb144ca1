"""What a source says of a relation, under the names that the lake gives its columns."""

import pytest

from lakehouse.sources.relation import SourceColumn, SourceRelation

USERS = SourceRelation(
    "public.users",
    tuple(SourceColumn(source, name, "bigint", "bigint") for source, name in (("Id", "id"), ("n", "n"))),
    ("id",),
)


def test_a_column_is_found_by_its_lake_name_alone() -> None:
    assert USERS.column("id").source_name == "Id"
    with pytest.raises(KeyError):
        USERS.column("Id")


def test_a_relation_takes_the_lake_names_that_are_given_for_names_at_the_source_in_its_key_too() -> None:
    named = USERS.named({"Id": "user_id", "gone": "x"})
    assert [(column.source_name, column.name) for column in named.columns] == [("Id", "user_id"), ("n", "n")]
    assert named.key == ("user_id",)
    assert USERS.named({}) == USERS
