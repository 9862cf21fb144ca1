"""The contract of a source table: what a registry file may say, what follows from it, and what is refused."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from lakehouse.registry.tables import Column, Load, OnFailure, Pii, SourceTable

SMALLEST: dict[str, Any] = {"table": "t", "domain": "d", "source": {"connection": "c", "relation": "public.t"}}


def table(**says: Any) -> SourceTable:
    return SourceTable.model_validate(SMALLEST | says)


def refused(**says: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        table(**says)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30 minutes", timedelta(minutes=30)),
        ("1 min", timedelta(minutes=1)),
        ("5m", timedelta(minutes=5)),
        ("6 h", timedelta(hours=6)),
        ("1 hour", timedelta(hours=1)),
        ("3 days", timedelta(days=3)),
        ("2d", timedelta(days=2)),
        (" 45 s ", timedelta(seconds=45)),
        ("0 seconds", timedelta(0)),
    ],
)
def test_a_duration_is_a_number_and_a_unit(text: str, expected: timedelta) -> None:
    assert table(overlap=text, cursor="at").overlap == expected
    assert table(deletes={"every": text}).deletes.every == expected


@pytest.mark.parametrize("value", ["", "3", "days", "-1 day", "1.5 h", "3 weeks", 30, True])
def test_what_is_no_duration_is_refused_with_examples(value: object) -> None:
    assert "a duration like `30 minutes`, `6 h` or `3 days` is expected" in refused(overlap=value)


def test_a_column_may_be_said_in_short() -> None:
    found = table(columns={"a": "int", "b": None, "c": {"type": "decimal(8, 2)", "trim": True}})
    assert found.columns == {"a": Column(type="int"), "b": Column(), "c": Column(type="decimal(8,2)", trim=True)}


@pytest.mark.parametrize("kind", ["decimal(1,1)", "decimal(38,38)", "decimal(38,0)", "bigint", "timestamp", "binary"])
def test_a_type_of_the_lake_is_taken(kind: str) -> None:
    assert table(columns={"a": kind}).columns["a"].type == kind


@pytest.mark.parametrize("kind", ["decimal(39,0)", "decimal(2,3)", "decimal", "varchar", "INT", "array<int>", ""])
def test_another_type_is_refused(kind: str) -> None:
    assert "expected" in refused(columns={"a": {"type": kind}})


def test_formats_go_with_a_date_alone() -> None:
    assert table(columns={"a": {"type": "date", "formats": ["dd.MM.yyyy"]}}).columns["a"].formats == ("dd.MM.yyyy",)
    for kind in ("string", None):
        said = {"type": kind, "formats": ["dd.MM.yyyy"]}
        assert "`formats` goes with `type: timestamp` or `type: date`" in refused(columns={"a": said})


def test_a_cursor_makes_a_load_incremental_and_a_full_load_has_none() -> None:
    assert table().load is Load.FULL
    assert table(cursor="at").load is Load.INCREMENTAL
    assert "`cursor` goes with `load: incremental`" in refused(cursor="at", load="full")


def test_versions_need_a_time_from_which_they_are_valid() -> None:
    assert "`history` needs a `cursor`" in refused(history=True)
    assert table(history=True, cursor="at").history


@pytest.mark.parametrize("policy", list(Pii))
def test_a_key_may_bear_a_policy_only_that_keeps_different_values_apart(policy: Pii) -> None:
    says = {"key": ["id"], "columns": {"id": {"pii": policy}}}
    if policy in {Pii.NONE, Pii.PSEUDONYMISE}:
        assert table(**says).key == ("id",)
    elif policy is Pii.EXCLUDE:
        assert "column 'id' is excluded, but the cursor or the key needs it" in refused(**says)
    else:
        assert f"`pii: {policy}` would make different keys alike" in refused(**says)


def test_a_cursor_may_not_be_excluded() -> None:
    assert "column 'at' is excluded" in refused(cursor="at", columns={"at": {"pii": "exclude"}})


def test_a_check_rejects_where_it_does_not_say_otherwise_and_its_name_is_a_name() -> None:
    assert table(checks=[{"name": "a", "expect": "true"}]).checks[0].on_failure is OnFailure.REJECT
    assert "is not a valid name" in refused(checks=[{"name": "a b", "expect": "true"}])


def test_the_share_of_deletes_lies_between_nothing_and_all() -> None:
    for share in (0, 0.5, 1):
        assert table(deletes={"max_share": share}).deletes.max_share == share
    for share in (-0.1, 1.1):
        assert "max_share" in refused(deletes={"max_share": share})


def test_a_relation_has_a_name() -> None:
    assert "the name of a relation is expected" in refused(source={"connection": "c", "relation": " "})


def test_what_a_file_calls_schema_is_the_policy_for_new_columns() -> None:
    assert table(schema="freeze").schema_policy == "freeze"
    assert "schema" in refused(schema="thaw")


def test_a_contract_does_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        table().key = ("id",)
