"""What makes silver anew and what does not: its fingerprint, and that of the key of pseudonyms."""

from typing import Any

import pytest

from lakehouse.registry.tables import SourceTable
from lakehouse.rules import SILVER_RULES
from lakehouse.silver import definition
from lakehouse.silver.contract import SilverShape
from lakehouse.silver.definition import definition_of, key_id

KEY, OTHER_KEY = b"a key for tests only", b"another key for tests"
SHAPE = SilverShape({"id": "int", "mail": "string", "at": "timestamp"}, ("id",))
SAYS: dict[str, Any] = {
    "table": "t",
    "domain": "d",
    "source": {"connection": "c", "relation": "r"},
    "cursor": "at",
    "columns": {"mail": {"pii": "none"}},
    "checks": [{"name": "there", "expect": "mail IS NOT NULL"}],
}


def defined(shape: SilverShape = SHAPE, key: bytes | None = KEY, **says: Any) -> str:
    return definition_of(SourceTable.model_validate(SAYS | says), shape, key)


def test_the_same_contract_has_the_same_definition() -> None:
    assert defined() == defined()
    assert len(defined()) == 16


@pytest.mark.parametrize(
    "says",
    [
        {"columns": {"mail": {"pii": "mask"}}},
        {"columns": {"mail": {"pii": "none", "trim": True}}},
        {"columns": {"mail": {"pii": "none", "nullable": False}}},
        {"columns": {"mail": {"pii": "none"}, "at": {"type": "date", "formats": ["yyyy-MM-dd"]}}},
        {"checks": []},
        {"checks": [{"name": "there", "expect": "mail <> ''"}]},
        {"checks": [{"name": "there", "expect": "mail IS NOT NULL", "on_failure": "warn"}]},
        {"cursor": None},
        {"history": True},
    ],
    ids=str,
)
def test_what_decides_rows_changes_it(says: dict[str, Any]) -> None:
    assert defined(**says) != defined()


@pytest.mark.parametrize(
    "shape",
    [
        SilverShape({"id": "bigint", "mail": "string", "at": "timestamp"}, ("id",)),
        SilverShape({"id": "int", "mail": "string", "at": "timestamp", "new": "int"}, ("id",)),
        SilverShape({"mail": "string", "id": "int", "at": "timestamp"}, ("id",)),
        SilverShape(SHAPE.columns, ("id", "mail")),
        SilverShape(SHAPE.columns, ()),
    ],
    ids=["a type", "a column", "their order", "the key", "no key"],
)
def test_the_columns_of_raw_and_the_key_change_it(shape: SilverShape) -> None:
    assert defined(shape) != defined()


@pytest.mark.parametrize(
    "says",
    [
        {"description": "other words"},
        {"partition_by": ["months(at)"]},
        {"sort_by": ["id"]},
        {"overlap": "2 hours"},
        {"deletes": {"detect": "never"}},
        {"source": {"connection": "other", "relation": "other"}},
        {"domain": "other"},
    ],
    ids=str,
)
def test_what_decides_no_row_leaves_it(says: dict[str, Any]) -> None:
    assert defined(**says) == defined()


def test_the_rules_of_the_engine_change_it(monkeypatch: pytest.MonkeyPatch) -> None:
    before = defined()
    monkeypatch.setattr(definition, "SILVER_RULES", SILVER_RULES + 1)
    assert defined() != before


def test_the_key_of_pseudonyms_changes_it_only_where_there_are_pseudonyms() -> None:
    pseudonyms: dict[str, Any] = {"columns": {"mail": {"pii": "pseudonymise"}}}
    assert defined(key=OTHER_KEY) == defined(key=None) == defined()
    assert defined(key=OTHER_KEY, **pseudonyms) != defined(**pseudonyms)
    assert defined(key=None, **pseudonyms) != defined(**pseudonyms)


def test_the_id_of_a_key_tells_keys_apart_and_not_the_key() -> None:
    assert key_id(KEY) == key_id(KEY) != key_id(OTHER_KEY)
    assert len(key_id(KEY)) == 16
    assert set(key_id(KEY)) <= set("0123456789abcdef")
    assert key_id(b"key") == "27d637d94103fc49"  # HMAC-SHA-256 of "lakehouse key id", by another program
