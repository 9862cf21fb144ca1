"""What a registry file asks otherwise than the last load was, without asking the source."""

from datetime import UTC, datetime
from typing import Any

import pytest

from lakehouse.raw.declared import declared_changes, stops
from lakehouse.raw.state import ReadColumn, State
from lakehouse.registry.tables import SourceTable

COLUMNS = tuple(
    ReadColumn(name=name, source_name=at_source, source_type="t") for name, at_source in (("id", "Id"), ("at", "at"))
)
STATE = State(taken_at=datetime(2026, 3, 1, tzinfo=UTC), origin="app public.coupons", key=("id",), cursor="at",
              columns=COLUMNS, options={"timezone": "UTC"})  # fmt: skip


def table(**more: Any) -> SourceTable:
    source = {"connection": "app", "relation": "coupons"}
    return SourceTable.model_validate({"table": "coupons", "domain": "shop", "source": source, "cursor": "at", **more})


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"key": ["Id"]},
        {"timezone": "UTC"},
        {"source": {"connection": "app", "relation": "public.coupons"}},
        {"source": {"connection": "app", "relation": 'public."coupons"'}},
    ],
)
def test_a_file_that_asks_for_what_was_loaded_changes_nothing(more: dict[str, Any]) -> None:
    assert declared_changes(table(**more), STATE) == ()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"key": ["id", "at"]}, "its key is (id, at) now, was (id)"),
        ({"cursor": "changed_at"}, "its cursor is changed_at now, was at"),
        ({"cursor": None}, "its cursor is none now, was at"),
        ({"timezone": "Europe/Berlin"}, "its timezone is Europe/Berlin now, was UTC"),
        (
            {"source": {"connection": "other", "relation": "coupons"}},
            "it comes from other coupons now, before from app public.coupons",
        ),
        (
            {"source": {"connection": "app", "relation": "pons"}},
            "it comes from app pons now, before from app public.coupons",
        ),
    ],
)
def test_what_a_file_asks_otherwise_is_named(more: dict[str, Any], said: str) -> None:
    assert declared_changes(table(**more), STATE) == (said,)


def test_a_state_of_the_first_version_says_too_little() -> None:
    assert declared_changes(table(key=["other"]), State(taken_at=STATE.taken_at, key=("id",))) == ()


def test_another_key_stops_a_table_with_history_only() -> None:
    assert stops(table(key=["at"], history=True), STATE)
    assert not stops(table(key=["at"]), STATE)
    assert not stops(table(key=["Id"], history=True), STATE)
