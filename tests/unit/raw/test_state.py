"""The state that a raw table's snapshots bear: written and read back, of an earlier version, damaged."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lakehouse.errors import SystemFailureError
from lakehouse.iceberg.snapshots import SnapshotInfo
from lakehouse.raw.state import PROPERTY, ReadColumn, State, floors, last_state, reaches_back_to
from lakehouse.raw.watermark import IntegerWatermark, MomentWatermark
from lakehouse.sources.reader import Horizon

NOW = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


class History:
    """A table of which only the history is there: summaries, newest first."""

    def __init__(self, *summaries: dict[str, str]) -> None:
        self._summaries = summaries

    def history(self) -> Iterator[SnapshotInfo]:
        for number, summary in enumerate(self._summaries):
            yield SnapshotInfo(number, "append", 0, summary)

    def newest(self, property_name: str) -> str | None:
        return next((summary[property_name] for summary in self._summaries if property_name in summary), None)


FULL = State(
    taken_at=NOW,
    origin="app public.coupons",
    key=("id",),
    cursor="at",
    columns=(ReadColumn(name="id", source_name="Id", source_type="integer", identity="1"),),
    options={"timezone": "UTC"},
    watermark=MomentWatermark(highest=NOW, lower=NOW - HOUR),
    reaches_back_to=NOW,
    fingerprint="3:4",
    keys=3,
    keys_compared_at=NOW,
)


@pytest.mark.parametrize("state", [FULL, State(taken_at=NOW)])
def test_a_state_is_read_back_as_it_was_written(state: State) -> None:
    assert last_state(History(state.properties("run"))) == state


def test_snapshots_of_maintenance_are_passed_over() -> None:
    assert last_state(History({}, {"other": "x"}, FULL.properties("run"))) == FULL
    assert last_state(History({})) is None
    assert last_state(None) is None


def test_a_state_of_the_first_version_vouches_for_no_column() -> None:
    first = {"taken_at": NOW.isoformat(), "columns": "0123456789abcdef", "key": ["id"], "lower": "5", "keys": 4}
    found = last_state(History({PROPERTY: json.dumps(first)}))
    assert found == State(taken_at=NOW, key=("id",), keys=4)


def test_a_damaged_state_says_what_is_wrong_and_what_to_do() -> None:
    with pytest.raises(SystemFailureError, match=r"state in snapshot 0: watermark.*--full-refresh"):
        last_state(History({PROPERTY: json.dumps({"taken_at": NOW.isoformat(), "watermark": {"kind": "age"}})}))


def test_floors_are_told_with_their_moments_newest_first() -> None:
    states = [State(taken_at=NOW - HOUR * n, watermark=IntegerWatermark(floor=9 - n)) for n in range(3)]
    found = floors(History(*(state.properties("run") for state in states)), states[0])
    assert list(found) == [(NOW, 9), (NOW - HOUR, 8), (NOW - 2 * HOUR, 7)]


@pytest.mark.parametrize(
    "change",
    [
        {"cursor": "at"},
        {"origin": "app old.coupons"},
        {"columns": (ReadColumn(name="number", source_name="number", source_type="bigint", identity="2"),)},
    ],
)
def test_floors_end_where_the_cursor_was_another_column(change: dict[str, Any]) -> None:
    number = ReadColumn(name="number", source_name="number", source_type="bigint", identity="7")
    now = State(taken_at=NOW, origin="app public.coupons", cursor="number", columns=(number,),
                watermark=IntegerWatermark(floor=50))  # fmt: skip
    before = now.model_copy(update={"taken_at": NOW - HOUR, "watermark": IntegerWatermark(floor=1_000_000), **change})
    assert list(floors(History(now.properties("run"), before.properties("run")), now)) == [(NOW, 50)]


def test_without_prepared_transactions_the_horizon_is_what_it_says() -> None:
    assert reaches_back_to(Horizon(NOW, NOW), None) == NOW


def test_a_prepared_transaction_began_after_the_look_before_or_was_counted_then() -> None:
    prepared = Horizon(NOW, NOW, prepared=("gid",))
    assert reaches_back_to(prepared, None) is None
    assert reaches_back_to(prepared, State(taken_at=NOW - HOUR)) is None
    known = State(taken_at=NOW - HOUR, reaches_back_to=NOW - 2 * HOUR)
    assert reaches_back_to(prepared, known) == NOW - 2 * HOUR
