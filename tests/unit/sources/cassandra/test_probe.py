"""The fingerprint that tells that nothing changed: both sides compute it alike."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pyarrow as pa
import pytest
from cassandra.util import Date
from pyspark.sql import DataFrame, SparkSession

from lakehouse.sources.cassandra.arrow import to_batch
from lakehouse.sources.cassandra.probe import has_fingerprint, of_rows, of_source
from lakehouse.sources.cassandra.settings import Settings
from lakehouse.sources.reader import Bound
from tests.unit.sources.cassandra.fakes import FakeSession, table

EVENTS = table(id="uuid", n="bigint", at="timestamp", day="date", raw="blob", good="boolean", tags="set<text>")
COLUMNS = ["id", "n", "at", "day", "raw", "good", "tags"]
SOURCE = Settings(type="cassandra", hosts=("127.0.0.1",), keyspace="app")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: As the driver gives them: ordinary, old, all NULL, out of the lake's range, and texts that look like separators.
ROWS: list[tuple[Any, ...]] = [
    (UUID(int=1), 5, 1_767_225_600_123, Date(date(2026, 1, 1)), b"\x00\xff", True, '["a", "ü"]'),
    (UUID(int=2), -5, -1, Date(date(1, 1, 1)), b"", False, '[""]'),
    (UUID(int=3), None, None, None, None, None, "null"),
    (UUID(int=4), 0, 2**60, Date(10**7), b"x", True, '["\\u001f"]'),
]


@pytest.fixture(scope="module")
def raw(spark: SparkSession) -> DataFrame:
    """What raw holds of the rows."""
    read = pa.Table.from_batches([to_batch(ROWS, EVENTS, COLUMNS)])
    return spark.createDataFrame(read).drop("_misfits")


def of_fake(rows: list[tuple[Any, ...]], within: list[tuple[Any, ...]] | None = None, lower: Any = None) -> Any:
    """The fingerprint of a source that holds ``rows``, of which ``within`` are those from ``lower`` on."""

    class Answering(FakeSession):
        def prepare(self, cql: str) -> Any:
            only_keys = '"n"' not in cql
            self._pages = [[row[:1] for row in rows] if only_keys else rows if within is None else within]
            return super().prepare(cql)

    return of_source(Answering([]), SOURCE, EVENTS, COLUMNS, Bound("at", lower))


def test_cassandra_and_raw_with_the_same_rows_have_one_fingerprint(raw: DataFrame) -> None:
    assert of_fake(ROWS) == of_rows(raw, ["id"], COLUMNS, Bound("at"))


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=-7))])
def test_both_look_at_the_same_rows_of_a_bound_to_the_millisecond(raw: DataFrame, zone: timezone) -> None:
    lower = (EPOCH + timedelta(milliseconds=1_767_225_600_123, microseconds=999)).astimezone(zone)
    held = raw.where("n <> 0 OR n IS NULL")  # a moment that the lake cannot hold is on no side of a bound there
    assert of_fake(ROWS[:3], ROWS[:1], lower) == of_rows(held, ["id"], COLUMNS, Bound("at", lower))
    assert of_fake(ROWS[:3], ROWS[:2], lower) != of_rows(held, ["id"], COLUMNS, Bound("at", lower))


@pytest.mark.parametrize("cell", range(1, len(COLUMNS)))
def test_a_changed_value_of_any_column_changes_the_fingerprint(cell: int) -> None:
    changed = list(ROWS[0])
    changed[cell] = ROWS[1][cell]
    assert of_fake([tuple(changed), *ROWS[1:]]) != of_fake(ROWS)


def test_a_row_more_or_less_changes_the_fingerprint_and_the_order_does_not() -> None:
    assert of_fake(ROWS[1:]) != of_fake(ROWS)
    assert of_fake(ROWS[::-1]) == of_fake(ROWS)


def test_a_table_with_floating_point_numbers_has_none_since_both_sides_write_them_differently() -> None:
    assert has_fingerprint(EVENTS, COLUMNS)
    assert not has_fingerprint(table(id="int", x="float"), ["id", "x"])
    assert has_fingerprint(table(id="int", x="float"), ["id"])
