"""What a load reads, decided from what is known, without a source and without a lake."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.errors import ConfigurationError, DataError
from lakehouse.raw.columns import Contract
from lakehouse.raw.plan import Found, ReadPlan, Reads, plan, read_columns, wants_look
from lakehouse.raw.request import Request, Window
from lakehouse.raw.state import State
from lakehouse.raw.watermark import DateWatermark, IntegerWatermark, MomentWatermark
from lakehouse.registry.tables import SourceTable
from lakehouse.sources.reader import Bound, Look
from lakehouse.sources.relation import CursorKind, SourceColumn

NOW = datetime(2026, 3, 1, tzinfo=UTC)
WEEK = Window(datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 2, 8, tzinfo=UTC))
MARKS = {
    CursorKind.MOMENT: MomentWatermark(highest=NOW, lower=NOW),
    CursorKind.DATE: DateWatermark(highest=NOW.date(), lower=NOW.date()),
    CursorKind.INTEGER: IntegerWatermark(highest=9, lower=7, floor=7),
}


def source_table(cursor: str | None = "at", **more: Any) -> SourceTable:
    content = {"table": "coupons", "domain": "shop", "source": {"connection": "app", "relation": "coupons"}, **more}
    return SourceTable.model_validate(content | ({"cursor": cursor} if cursor else {}))


def contract(
    cursor: str | None = "at", kind: CursorKind = CursorKind.MOMENT, key: tuple[str, ...] = ("id",)
) -> Contract:
    columns = (
        SourceColumn("id", "id", "integer", "int", identity="1"),
        SourceColumn("at", "at", "timestamptz", "timestamp", cursor=kind, identity="2"),
    )
    return Contract(columns, key, cursor, "app public.coupons")


def state_of(agreed: Contract, **more: Any) -> State:
    """What a load by that contract leaves."""
    mark = MARKS[agreed.cursor_kind] if agreed.cursor_kind else None
    values = {"taken_at": NOW, "origin": agreed.origin, "key": agreed.key, "cursor": agreed.cursor, "watermark": mark,
              "columns": read_columns(agreed), "options": {"timezone": "UTC"}, "fingerprint": "f", "keys": 3,
              "keys_compared_at": NOW}  # fmt: skip
    return State(**{**values, **more})


FOUND = Found(rows_in_raw=5, options={"timezone": "UTC"}, keys_due=True)
RUN = Request("run")


def planned(table: SourceTable | None = None, state: State | None = None, agreed: Contract | None = None,
            request: Request = RUN, **found: Any) -> ReadPlan:  # fmt: skip
    table = table or source_table()
    agreed = agreed or contract(table.cursor)
    return plan(table, state, agreed, request, replace(FOUND, **found))


def test_a_first_load_reads_everything_into_an_empty_raw() -> None:
    found = planned(state=None, rows_in_raw=0)
    assert (found.reads, found.replaces, found.compares_keys) == (Reads.EVERYTHING, True, False)


@pytest.mark.parametrize("history", [False, True])
def test_rows_without_a_state_are_an_error_and_no_beginning(history: bool) -> None:
    with pytest.raises(DataError, match="none of its snapshots says up to where the source was read") as caught:
        planned(source_table(history=history), state=None)
    assert "--full-refresh --tables coupons" in str(caught.value)
    assert ("keeps the versions that raw has" in str(caught.value)) is history


def test_an_ordinary_load_reads_from_the_watermark_on_and_compares_keys_when_it_is_time() -> None:
    found = planned(state=state_of(contract()))
    assert found == ReadPlan(Reads.NEWER, Bound("at", NOW), compares_keys=True)
    assert not planned(state=state_of(contract()), keys_due=False).compares_keys


def test_nothing_is_read_when_the_source_shows_what_it_showed() -> None:
    state = state_of(contract())
    assert planned(state=state, look=Look("f", 3)).reads is Reads.NOTHING
    assert planned(state=state, look=Look("other", 3)).reads is Reads.NEWER


def test_another_number_of_keys_is_looked_at_only_when_it_is_time() -> None:
    state = state_of(contract())
    assert planned(state=state, look=Look("f", 2)).reads is Reads.NEWER
    assert planned(state=state, look=Look("f", 2), keys_due=False).reads is Reads.NOTHING


def test_a_count_of_keys_from_before_the_newest_rows_says_nothing_of_deletes() -> None:
    """A row came after the keys were counted, then another was deleted: as many keys, and one to bury."""
    state = state_of(contract(), keys_compared_at=NOW - timedelta(hours=1))
    found = planned(state=state, look=Look("f", 3))
    assert (found.reads, found.compares_keys) == (Reads.NEWER, True)
    assert planned(state=state, look=Look("f", 3), keys_due=False).reads is Reads.NOTHING


def test_a_full_load_replaces_raw_unless_nothing_changed() -> None:
    table, agreed = source_table(None), contract(None)
    state = state_of(agreed)
    assert planned(table, state, agreed).replaces
    assert planned(table, state, agreed, look=Look("f", None)).reads is Reads.NOTHING


def test_a_watermark_that_could_not_be_placed_reads_everything_and_keeps_raw() -> None:
    found = planned(state=state_of(contract(), watermark=MomentWatermark(highest=NOW)))
    assert (found.reads, found.replaces, found.bound) == (Reads.EVERYTHING, False, None)


@pytest.mark.parametrize(
    ("kind", "bound"),
    [
        (CursorKind.MOMENT, Bound("at", WEEK.start, WEEK.end)),
        (CursorKind.DATE, Bound("at", date(2026, 2, 1), date(2026, 2, 8))),
    ],
)
def test_a_range_of_days_is_read_and_leaves_the_watermark_where_it_is(kind: CursorKind, bound: Bound) -> None:
    agreed = contract(kind=kind)
    found = planned(state=state_of(agreed), agreed=agreed, request=Request("run", window=WEEK))
    assert found == ReadPlan(Reads.WINDOW, bound, moves_watermark=False)


def test_a_range_of_days_reaches_to_the_end_of_its_last_day() -> None:
    agreed = contract(kind=CursorKind.DATE)
    noon = Window(WEEK.start, datetime(2026, 2, 7, 12, tzinfo=UTC))
    found = planned(state=state_of(agreed), agreed=agreed, request=Request("run", window=noon))
    assert found.bound == Bound("at", date(2026, 2, 1), date(2026, 2, 8))


def test_an_integer_has_no_days_and_the_plan_says_so() -> None:
    agreed = contract(kind=CursorKind.INTEGER)
    found = planned(state=state_of(agreed), agreed=agreed, request=Request("run", window=WEEK))
    assert (found.reads, found.bound, found.moves_watermark) == (Reads.NEWER, Bound("at", 7), True)
    assert found.why == ("cursor at is an integer, which has no days: read from the watermark on",)


def test_a_range_of_days_and_a_full_refresh_exclude_each_other() -> None:
    with pytest.raises(ConfigurationError, match="would make the range the whole table"):
        planned(state=state_of(contract()), request=Request("run", full_refresh=True, window=WEEK))


def test_a_full_refresh_replaces_raw_but_keeps_the_versions_of_a_table_with_history() -> None:
    request = Request("run", full_refresh=True)
    assert planned(request=request).replaces
    kept = planned(source_table(history=True), state_of(contract()), request=request)
    assert (kept.reads, kept.replaces, kept.compares_keys) == (Reads.EVERYTHING, False, True)


COLUMN = SourceColumn("v", "v", "text", "string", identity="3")
CHANGES: dict[str, Any] = {
    "a column that was not read": (lambda c: replace(c, columns=(*c.columns, COLUMN)), "column v was not read before"),
    "another origin": (lambda c: replace(c, origin="other public.coupons"), "it comes from other public.coupons now"),
    "a column that took another's place": (
        lambda c: replace(c, columns=(replace(c.columns[0], identity="9"), c.columns[1])),
        "column id was dropped at the source and made anew",
    ),
    "another type": (
        lambda c: replace(c, columns=(replace(c.columns[0], source_type="bigint"), c.columns[1])),
        "column id is bigint at the source now, was integer",
    ),
    "another column at the source": (
        lambda c: replace(c, columns=(replace(c.columns[0], source_name="no", identity="8"), c.columns[1])),
        "column id is no at the source now, was id",
    ),
    "another key": (lambda c: replace(c, key=("id", "at")), "its key is (id, at) now, was (id)"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_decides_rows_otherwise_is_named_and_leads_to_a_whole_read(change: Any) -> None:
    changed, why = change
    found = planned(state=state_of(contract()), agreed=changed(contract()), look=Look("f", 3))
    assert (found.reads, found.bound, found.begins_anew) == (Reads.EVERYTHING, None, True)
    assert why in found.why[0]


def test_a_whole_read_adds_to_raw_and_compares_keys_so_that_older_versions_stay() -> None:
    found = planned(state=state_of(contract(), options={"timezone": "Europe/Berlin"}))
    assert (found.replaces, found.compares_keys) == (False, True)
    assert found.why == ("all rows are read: its timezone is UTC now, was Europe/Berlin",)
    assert not planned(source_table(deletes={"detect": "never"}), state_of(contract(), options={})).compares_keys


def test_another_key_replaces_raw_since_old_tombstones_do_not_bear_it() -> None:
    assert planned(state=state_of(contract()), agreed=contract(key=("id", "at"))).replaces


def test_another_cursor_reads_everything() -> None:
    assert "its cursor is at now, was created_at" in planned(state=state_of(contract(), cursor="created_at")).why[0]


def test_a_renamed_column_whose_identity_is_the_same_is_not_read_anew() -> None:
    agreed = contract()
    renamed = replace(agreed, columns=(replace(agreed.columns[0], source_name="number"), agreed.columns[1]))
    assert planned(state=state_of(agreed), agreed=renamed).reads is Reads.NEWER


def test_a_column_that_is_no_longer_read_changes_nothing_that_was() -> None:
    agreed = contract()
    more = replace(agreed, columns=(*agreed.columns, COLUMN))
    assert planned(state=state_of(more), agreed=agreed).reads is Reads.NEWER


def test_a_table_with_history_keeps_its_key() -> None:
    with pytest.raises(DataError, match="a table with history keeps its key"):
        planned(source_table(history=True), state_of(contract()), contract(key=("id", "at")))


REQUESTS = st.builds(Request, st.just("run"), st.booleans(), st.sampled_from([None, WEEK]))
FOUNDS = st.builds(
    Found, st.sampled_from([0, 5]), st.sampled_from([{"timezone": "UTC"}, {"timezone": "Europe/Berlin"}]), st.booleans(),
    st.sampled_from([None, Look("f", 3), Look("f", 2), Look("g", 3)]),
)  # fmt: skip
TABLES = st.sampled_from([source_table(), source_table(None), source_table(history=True),
                          source_table(deletes={"detect": "never"})])  # fmt: skip
AGREED = st.sampled_from([contract(), *(change(contract()) for change, _ in CHANGES.values())])


@given(TABLES, st.booleans(), AGREED, REQUESTS, FOUNDS)
def test_whatever_is_known_a_plan_vouches_for_no_row_that_it_does_not_read(
    table: SourceTable, loaded: bool, agreed: Contract, request: Request, found: Found
) -> None:
    if table.cursor is None:
        agreed = replace(agreed, cursor=None)
    before = contract(table.cursor)
    state = state_of(before) if loaded and not request.replaces(table) else None
    try:
        made = plan(table, state, agreed, request, found)
    except (ConfigurationError, DataError):
        return
    reads_all = made.reads is Reads.EVERYTHING
    if state is None or (agreed, dict(found.options)) != (before, {"timezone": "UTC"}):
        assert reads_all  # nothing vouches for what is there, or for how it was read
    if made.replaces:
        assert reads_all
        assert made.bound is None
    if made.moves_watermark and not reads_all and made.reads is not Reads.NOTHING:
        assert state is not None
        assert state.watermark is not None
        assert made.bound == Bound("at", state.watermark.lower)
    if made.reads is Reads.NOTHING:
        assert found.look is not None
        assert found.look.fingerprint == "f"
        assert wants_look(table, state, agreed, request, found)
    if table.history and found.rows_in_raw:
        assert not made.replaces
