"""What MongoDB is asked for: by ranges of ids, by a bound of the cursor whatever its types, by the texts of ids."""

from datetime import UTC, datetime
from typing import Any

import pytest
from bson import Decimal128, Int64, ObjectId
from bson.datetime_ms import DatetimeMS

from lakehouse.sources.documents import filters
from lakehouse.sources.documents.client import Range
from lakehouse.sources.documents.filters import both, of_bound, of_range, of_texts
from lakehouse.sources.reader import Bound

_AT = datetime(2026, 3, 1, tzinfo=UTC)
_NUMBERS = ["int", "long", "double", "decimal"]
_MS = DatetimeMS(1_772_323_200_000)


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (Range(), {}),
        (Range("string"), {"_id": {"$type": ["string"]}}),
        (Range("number", None, 5), {"$and": [{"_id": {"$type": _NUMBERS}}, {"_id": {"$not": {"$gte": 5}}}]}),
        (Range("string", "a", "b"), {"_id": {"$gte": "a", "$lt": "b"}}),
        (Range("string", "b"), {"_id": {"$gte": "b"}}),
    ],
    ids=repr,
)
def test_ranges_leave_no_id_out(ids: Range, expected: dict[str, Any]) -> None:
    assert of_range(ids) == expected


@pytest.mark.parametrize("kind", list(filters.GROUPS))
def test_the_rest_of_the_ids_are_those_of_every_other_type(kind: str) -> None:
    types = [*of_range(Range(kind))["_id"]["$type"], *of_range(Range(kind, is_rest=True))["_id"]["$type"]]
    assert len(types) == len(set(types))
    assert set(types) == {*_NUMBERS, "string", "objectId", *filters.OTHER_IDS}
    assert {"object", "binData", "bool", "date", "null", "timestamp", "minKey", "maxKey"} <= set(filters.OTHER_IDS)


def test_a_bound_of_moments_asks_for_all_that_is_no_moment_of_the_lake_too() -> None:
    asked = of_bound(Bound("meta.at", _AT))["$or"]
    assert asked[0] == {"meta.at": {"$gte": _MS}}
    assert asked[1] == {"meta.at": None}
    types = set(asked[2]["meta.at"]["$type"])
    assert {"string", "int", "long", "double", "decimal", "object", "array", "bool", "objectId", "null"} <= types
    assert "date" not in types
    assert [next(iter(one["meta.at"])) for one in asked[3:]] == ["$lt", "$gt"]


def test_a_bound_of_whole_numbers_asks_for_texts_and_dates_too_and_not_for_lower_numbers() -> None:
    asked = of_bound(Bound("version", 5, 9))["$or"]
    assert asked[:2] == [{"version": {"$gte": Int64(5), "$lt": Int64(9)}}, {"version": None}]
    types = set(asked[2]["version"]["$type"])
    assert {"string", "date", "array", "bool"} <= types
    assert not types & {"int", "long", "double", "decimal", "number"}
    assert len(asked) == 3


def test_an_open_bound_asks_for_everything() -> None:
    assert of_bound(None) == of_bound(Bound("at")) == {}
    assert both({}, {"a": 1}) == both({"a": 1}, {}) == {"a": 1}
    assert both({"a": 1}, {"b": 2}) == {"$and": [{"a": 1}, {"b": 2}]}


def test_ids_are_asked_for_in_every_type_that_has_their_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filters, "_AT_ONCE", 3)
    hexadecimal = "65f000000000000000000001"
    found = list(of_texts([hexadecimal, "7", "2.5", "x" * 24, None, "9" * 19, "NaN"]))
    assert found[0]["_id"]["$in"] == [hexadecimal, ObjectId(hexadecimal), "7", Int64(7), "2.5", 2.5, Decimal128("2.5")]
    assert found[1]["_id"]["$in"] == ["x" * 24, "9" * 19, float("9" * 19), Decimal128("9" * 19)]
    assert found[2]["_id"]["$in"][0] == "NaN"
    others = set(found[3]["_id"]["$type"])
    assert {"object", "bool", "date", "binData", "null"} <= others
    assert not others & {"string", "objectId", "int", "long", "double", "decimal"}
