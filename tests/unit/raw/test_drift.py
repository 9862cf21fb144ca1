import pytest

from lakehouse.errors import SchemaDriftError
from lakehouse.iceberg.described import Field
from lakehouse.raw.drift import Drift, compare


def drift(held: dict[str, str], now: dict[str, str], retired: frozenset[str] = frozenset()) -> Drift:
    fields = [Field(number, name, kind) for number, (name, kind) in enumerate(held.items(), 1)]
    return compare("orders", [*fields, Field(99, "_op", "string")], now, set(retired))


def test_a_new_column_flows_through() -> None:
    assert drift({"a": "int"}, {"a": "int", "b": "string"}) == Drift({"b": "string"}, {}, {})


@pytest.mark.parametrize(
    ("before", "after"), [("int", "bigint"), ("float", "double"), ("decimal(8,2)", "decimal(12,2)")]
)
def test_a_wider_type_flows_through_and_a_narrower_one_keeps_raw_s(before: str, after: str) -> None:
    assert drift({"a": before}, {"a": after}) == Drift({}, {"a": after}, {})
    assert drift({"a": after}, {"a": before}) == Drift({}, {}, {"a": before})


def test_a_column_that_is_gone_stops_the_table() -> None:
    with pytest.raises(SchemaDriftError, match=r"column 'b' \(string\) is gone at the source.*dropped: true"):
        drift({"a": "int", "b": "string"}, {"a": "int"})


def test_a_column_that_seems_renamed_is_said_to_be() -> None:
    with pytest.raises(
        SchemaDriftError, match=r"A new column of the same type is there: 'c'.*columns: {b: {source: c}}"
    ):
        drift({"a": "int", "b": "string"}, {"a": "int", "c": "string"})


def test_a_column_called_dropped_may_be_gone() -> None:
    assert drift({"a": "int", "b": "string"}, {"a": "int"}, frozenset({"b"})) == Drift({}, {}, {})


@pytest.mark.parametrize(("before", "after"), [("int", "string"), ("string", "int"), ("decimal(8,2)", "decimal(8,4)")])
def test_a_type_that_raw_cannot_hold_stops_the_table(before: str, after: str) -> None:
    with pytest.raises(SchemaDriftError, match=r"column 'a' is .* at the source now; raw holds it as"):
        drift({"a": before}, {"a": after})
