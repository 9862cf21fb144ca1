"""The fingerprint that tells that nothing changed: of rows as Cassandra sends them and of the same rows as raw holds them."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pyarrow as pa
import pytest
from cassandra.util import Date

from lakehouse.sources.cassandra.arrow import to_batch
from lakehouse.sources.probe import Digest, within
from lakehouse.sources.reader import MISFITS, Bound
from tests.unit.sources.cassandra.fakes import sent, table

EVENTS = table(
    id="uuid", n="bigint", at="timestamp", day="date", raw="blob", good="boolean", tags="set<text>", x="double"
)
COLUMNS = ["id", "n", "at", "day", "raw", "good", "tags", "x"]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Ordinary, old, all NULL, out of the lake's range, and texts that look like separators.
ROWS: list[tuple[Any, ...]] = [
    (UUID(int=1), 5, 1_767_225_600_123, Date(date(2026, 1, 1)), b"\x00\xff", True, '["a", "ü"]', 0.1),
    (UUID(int=2), -5, -1, Date(date(1, 1, 1)), b"", False, '[""]', float("nan")),
    (UUID(int=3), None, None, None, None, None, "null", None),
    (UUID(int=4), 0, 2**60, Date(10**7), b"x", True, '["\\u001f"]', -0.0),
]


def read(rows: list[tuple[Any, ...]]) -> pa.RecordBatch:
    return to_batch(list(zip(*sent(EVENTS, COLUMNS, rows), strict=True)), EVENTS, COLUMNS)


def digest(*batches: pa.RecordBatch) -> str:
    found = Digest([*COLUMNS, MISFITS])
    for batch in batches:
        found.add(batch)
    return str(found)


def test_rows_have_one_fingerprint_in_any_order_and_in_any_batches() -> None:
    assert digest(read(ROWS)) == digest(read(ROWS[:2][::-1]), read(ROWS[2:]), read(ROWS[:1]).slice(1))


@pytest.mark.parametrize("cell", range(len(COLUMNS)))
def test_a_changed_value_of_any_column_changes_the_fingerprint(cell: int) -> None:
    changed = list(ROWS[0])
    changed[cell] = ROWS[1][cell]
    assert digest(read([tuple(changed), *ROWS[1:]])) != digest(read(ROWS))


def test_another_value_that_the_lake_cannot_hold_changes_the_fingerprint() -> None:
    changed = (*ROWS[3][:2], 2**61, *ROWS[3][3:])
    assert digest(read([*ROWS[:3], changed])) != digest(read(ROWS))


def test_a_row_more_or_less_changes_the_fingerprint() -> None:
    assert digest(read(ROWS[1:])) != digest(read(ROWS))


def test_a_wider_type_of_raw_leaves_the_fingerprint_as_it_is() -> None:
    found = read(ROWS)
    wide = found.set_column(1, "n", found.column("n").cast(pa.decimal128(38, 0)))
    assert digest(wide) == digest(found)


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=-7))])
@pytest.mark.parametrize(("later", "expected"), [(0, 1), (1, 0)])
def test_a_bound_takes_the_rows_from_its_lower_side_on_to_the_microsecond(
    zone: timezone, later: int, expected: int
) -> None:
    lower = EPOCH + timedelta(milliseconds=1_767_225_600_123, microseconds=later)
    found = within(read(ROWS), Bound("at", lower.astimezone(zone)), with_no_cursor=False)
    assert found.num_rows == expected
    assert within(read(ROWS), None, with_no_cursor=False).num_rows == len(ROWS)
