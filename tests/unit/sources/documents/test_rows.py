"""Documents as rows: declared fields as text, a typed cursor, and what nobody declared."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from bson import Int64, ObjectId
from bson.datetime_ms import DatetimeMS

from lakehouse.sources.documents.rows import Shape
from lakehouse.sources.reader import MISFITS
from lakehouse.sources.relation import CursorKind

_AT = datetime(2026, 3, 1, tzinfo=UTC)


def rows(shape: Shape, *documents: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = shape.batch(documents, [*shape.paths, "other_fields"]).to_pylist()
    return found


def test_fields_are_found_by_their_paths_and_an_id_by_its_own_text() -> None:
    shape = Shape({"id": ("_id",), "city": ("store", "address", "city"), "n": ("n",)})
    found = rows(shape, {"_id": 1.0, "store": {"address": {"city": "Ulm"}}, "n": 1.0}, {"_id": "b", "store": 5})
    assert [(row["id"], row["city"], row["n"]) for row in found] == [("1", "Ulm", "1.0"), ("b", None, None)]


def test_what_is_not_read_whole_stays_in_the_other_fields() -> None:
    shape = Shape({"id": ("_id",), "city": ("store", "address", "city"), "zip": ("store", "zip"), "a": ("a",)})
    whole = {"_id": 1, "a": {"any": 1}, "store": {"zip": 7, "address": {"city": "Ulm"}}}
    deeper = {"_id": 2, "store": {"address": {"city": "Ulm", "street": "x"}}}
    found = rows(shape, whole, deeper, {"_id": 3, "store": None}, {"_id": 4, "b": ObjectId("0" * 24)})
    assert [row["other_fields"] for row in found] == [
        None, '{"store":{"address":{"city":"Ulm","street":"x"}}}', '{"store":null}', '{"b":"000000000000000000000000"}'
    ]  # fmt: skip


def test_a_field_that_is_read_whole_and_by_a_part_is_not_left_over() -> None:
    shape = Shape({"id": ("_id",), "store": ("store",), "city": ("store", "city")})
    (row,) = rows(shape, {"_id": 1, "store": {"city": "Ulm", "zip": 7}})
    assert row == {"id": "1", "store": '{"city":"Ulm","zip":7}', "city": "Ulm", "other_fields": None, MISFITS: None}


@pytest.mark.parametrize(
    ("value", "typed", "misfit"),
    [
        (DatetimeMS(1_772_323_200_123), _AT + timedelta(milliseconds=123), None),
        (_AT, _AT, None),
        (None, None, None),
        ("2026-03-01", None, '{"at": "2026-03-01"}'),
        (5, None, '{"at": "5"}'),
        (DatetimeMS(2**60), None, '{"at": "1152921504606846976 ms since 1970"}'),
        ({"x": 1}, None, '{"at": "{\\"x\\":1}"}'),
    ],
    ids=repr,
)
def test_a_cursor_of_moments_is_a_moment_or_a_misfit(value: Any, typed: Any, misfit: str | None) -> None:
    shape = Shape({"id": ("_id",), "at": ("at",)}, "at", CursorKind.MOMENT)
    batch = shape.batch([{"_id": 1, "at": value}, {"_id": 2, "at": _AT}, {"_id": 3}], ["id", "at"])
    assert batch.schema.field("at").type == pa.timestamp("us", "UTC")
    assert batch.column("at").to_pylist() == [typed, _AT, None]
    assert batch.column(MISFITS).to_pylist() == [misfit, None, None]


@pytest.mark.parametrize(
    ("value", "typed", "misfit"),
    [
        (5, 5, None),
        (Int64(2**62), 2**62, None),
        (7.0, 7, None),
        (2.5, None, '{"v": "2.5"}'),
        (1e30, None, '{"v": "1e+30"}'),
        (True, None, '{"v": "true"}'),
        ("5", None, '{"v": "5"}'),
        (_AT, None, '{"v": "2026-03-01T00:00:00.000Z"}'),
    ],
    ids=repr,
)
def test_a_cursor_of_numbers_is_whole_or_a_misfit(value: Any, typed: int | None, misfit: str | None) -> None:
    shape = Shape({"id": ("_id",), "v": ("v",)}, "v", CursorKind.INTEGER)
    batch = shape.batch([{"_id": 1, "v": value}], ["v"])
    assert batch.schema.field("v").type == pa.int64()
    assert batch.to_pylist() == [{"v": typed, MISFITS: misfit}]


def test_only_the_fields_that_are_needed_are_asked_for() -> None:
    shape = Shape({"id": ("_id",), "city": ("store", "city")})
    assert shape.fields(["id", "city"]) == ["_id", "store"]
    assert shape.fields(["id", "other_fields"]) is None
