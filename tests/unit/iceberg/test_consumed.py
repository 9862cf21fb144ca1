"""What a table was made from, read back from the history that is left of it."""

from collections.abc import Iterator
from dataclasses import dataclass

from lakehouse.iceberg.consumed import PROPERTY, Consumed, last_consumed, since
from lakehouse.iceberg.snapshots import RUN_PROPERTY, SnapshotInfo

LARGE = 2**62 + 1


@dataclass
class History:
    """Snapshots, newest first."""

    snapshots: list[SnapshotInfo]

    def history(self) -> Iterator[SnapshotInfo]:
        yield from self.snapshots

    def newest(self, property_name: str) -> str | None:
        return next((s.summary[property_name] for s in self.snapshots if property_name in s.summary), None)


def snapshot(identifier: int, **summary: str) -> SnapshotInfo:
    return SnapshotInfo(identifier, "append", identifier, summary)


def consumed(identifier: int, made_from: Consumed) -> SnapshotInfo:
    return SnapshotInfo(identifier, "append", identifier, made_from.properties(f"run-{identifier}"))


def test_what_a_commit_says_is_read_back_to_the_last_digit_of_an_id() -> None:
    said = Consumed({"silver.a": LARGE, "silver.b": 1}, "abc")
    assert said.properties("run-7")[RUN_PROPERTY] == "run-7"
    assert last_consumed(History([consumed(1, said)])) == said


def test_the_order_of_inputs_is_not_a_part_of_what_is_said() -> None:
    one, other = Consumed({"a": 1, "b": 2}, "d"), Consumed({"b": 2, "a": 1}, "d")
    assert one.properties("r")[PROPERTY] == other.properties("r")[PROPERTY]


def test_the_newest_snapshot_that_says_it_counts_though_maintenance_came_after_it() -> None:
    old, new = Consumed({"raw.a": 1}, "d"), Consumed({"raw.a": 2}, "d")
    assert last_consumed(History([snapshot(3), consumed(2, new), consumed(1, old)])) == new


def test_where_nothing_says_it_it_is_not_known() -> None:
    assert last_consumed(None) is None
    assert last_consumed(History([])) is None
    assert last_consumed(History([snapshot(1)])) is None


def test_the_snapshots_since_one_are_those_after_it_newest_first() -> None:
    table = History([snapshot(number) for number in (3, 2, 1)])
    assert [info.identifier for info in since(table, 1) or []] == [3, 2]
    assert since(table, 3) == []


def test_a_snapshot_that_is_no_longer_in_the_history_leaves_open_what_came_since() -> None:
    assert since(History([snapshot(3), snapshot(2)]), 1) is None
    assert since(History([]), 1) is None
