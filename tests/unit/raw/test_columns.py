"""What a registry file and a source relation agree on."""

from typing import Any

import pytest

from lakehouse.errors import DataError, SourceError
from lakehouse.raw.columns import Contract, renames, resolve
from lakehouse.registry.tables import SourceTable
from lakehouse.sources.relation import CursorKind, SourceColumn, SourceRelation

RELATION = SourceRelation(
    "public.users",
    (
        SourceColumn("Id", "id", "bigint", "bigint", nullable=False, cursor=CursorKind.INTEGER),
        SourceColumn("Email", "email", "text", "string"),
        SourceColumn("updated at", "updated_at", "timestamptz", "timestamp", cursor=CursorKind.MOMENT),
    ),
    ("id",),
)


def agreed(**says: Any) -> Contract:
    """The contract of a registry file that says this besides its source."""
    content = {"table": "users", "domain": "app", "source": {"connection": "app", "relation": "users"}} | says
    return resolve(SourceTable.model_validate(content), RELATION)


def test_the_smallest_file_reads_all_columns_by_the_source_s_key_in_full() -> None:
    contract = agreed()
    assert contract.names == ["id", "email", "updated_at"]
    assert (contract.key, contract.cursor, contract.cursor_kind) == (("id",), None, None)
    assert contract.origin == "app public.users"
    assert contract.lake_columns() == {"id": "bigint", "email": "string", "updated_at": "timestamp"}


@pytest.mark.parametrize("spelled", ["updated_at", "updated at"])
def test_key_and_cursor_are_named_as_in_the_lake_or_as_at_the_source(spelled: str) -> None:
    contract = agreed(cursor=spelled, key=["Email", "id"])
    assert (contract.cursor, contract.cursor_kind) == ("updated_at", CursorKind.MOMENT)
    assert contract.key == ("email", "id")


@pytest.mark.parametrize("rule", [{"pii": "exclude"}, {"dropped": True}])
def test_a_column_that_is_excluded_or_dropped_is_not_read_and_is_no_key(rule: dict[str, Any]) -> None:
    contract = agreed(columns={"id": rule})
    assert contract.names == ["email", "updated_at"]
    assert contract.key == ()


def test_a_dropped_column_need_not_be_at_the_source() -> None:
    assert agreed(columns={"gone": {"dropped": True}}).names == ["id", "email", "updated_at"]


@pytest.mark.parametrize(
    "says",
    [{"columns": {"emial": {"trim": True}}}, {"key": ["emial"]}, {"cursor": "emial", "key": ["id"]}],
    ids=["column", "key", "cursor"],
)
def test_a_name_that_is_not_at_the_source_is_told_with_a_likely_one(says: dict[str, Any]) -> None:
    with pytest.raises(
        SourceError, match=r"ingesting users: public\.users has no column 'emial'\. Did you mean 'Email'"
    ):
        agreed(**says)


def test_a_rule_for_a_column_under_another_name_is_told_by_the_source_s() -> None:
    with pytest.raises(SourceError, match="has no column 'E-Mail'"):
        agreed(columns={"mail": {"source": "E-Mail"}})


def test_where_personal_data_is_held_no_column_passes_without_a_policy() -> None:
    with pytest.raises(DataError, match=r"columns without a `pii` policy: Id, updated at\. Add each to `columns:`"):
        agreed(holds_pii=True, columns={"email": {"pii": "redact"}})


def test_an_incremental_load_needs_a_key() -> None:
    with pytest.raises(DataError, match=r"neither the registry nor public\.users has a key; expected one"):
        agreed(cursor="updated_at", columns={"id": {"pii": "exclude"}})


def test_a_part_of_a_primary_key_is_no_key() -> None:
    """Users by day, without the day: an incremental load would keep one row a user, and say nothing."""
    columns = (SourceColumn("user", "user", "int", "int"), SourceColumn("day", "day", "date", "date"))
    relation = SourceRelation("public.days", columns, ("user", "day"))
    said = {"table": "days", "domain": "app", "source": {"connection": "app", "relation": "days"}}
    with pytest.raises(DataError, match=r"primary key of public\.days is \(user, day\), and day is not read"):
        resolve(SourceTable.model_validate({**said, "columns": {"day": {"pii": "exclude"}}}), relation)
    named = SourceTable.model_validate({**said, "key": ["user"], "columns": {"day": {"pii": "exclude"}}})
    assert resolve(named, relation).key == ("user",)


@pytest.mark.parametrize("policy", ["drop", "mask", "redact", "year", "truncate_ip"])
def test_a_primary_key_bears_no_policy_that_makes_keys_alike(policy: str) -> None:
    with pytest.raises(DataError, match=rf"`pii: {policy}` would make different keys alike"):
        agreed(columns={"id": {"pii": policy}})


@pytest.mark.parametrize("rule", [{"pii": "none"}, {"pii": "pseudonymise"}, {"type": "bigint"}])
def test_a_primary_key_may_be_cast_or_pseudonymised(rule: dict[str, Any]) -> None:
    assert agreed(columns={"id": rule}).key == ("id",)


def test_a_cursor_is_of_a_type_that_grows() -> None:
    with pytest.raises(DataError, match="cursor 'email' is text; expected a timestamp, a date or an integer"):
        agreed(cursor="email")


def test_names_that_the_registry_gives_are_told_by_the_source_s() -> None:
    content = {
        "table": "users",
        "domain": "app",
        "source": {"connection": "app", "relation": "users"},
        "columns": {"mail": {"source": "Email"}, "id": {"type": "int"}},
    }
    assert renames(SourceTable.model_validate(content)) == {"Email": "mail"}
