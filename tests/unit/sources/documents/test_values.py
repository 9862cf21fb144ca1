"""The text of each kind of value that a document can hold."""

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from bson import Binary, Code, Decimal128, Int64, MaxKey, ObjectId, Regex, Timestamp
from bson.datetime_ms import DatetimeMS
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.sources.documents.values import id_text, json_of, text_of

_ID = ObjectId("65f000000000000000000001")
_UUID = UUID("12345678-1234-5678-1234-567812345678")
_AT = datetime(2026, 3, 1, 10, 0, 0, 123_000, UTC)


@pytest.mark.parametrize(
    ("value", "text", "in_json"),
    [
        (None, None, "null"),
        ("", "", '""'),
        ("größe\n'", "größe\n'", '"größe\\n\'"'),
        ("1.50", "1.50", '"1.50"'),
        (True, "true", "true"),
        (False, "false", "false"),
        (0, "0", "0"),
        (Int64(-(2**63)), "-9223372036854775808", "-9223372036854775808"),
        (1.0, "1.0", "1.0"),
        (0.1, "0.1", "0.1"),
        (1e22, "1e+22", "1e+22"),
        (-0.0, "-0.0", "-0.0"),
        (float("nan"), "NaN", '"NaN"'),
        (float("inf"), "Infinity", '"Infinity"'),
        (float("-inf"), "-Infinity", '"-Infinity"'),
        (Decimal128("1.50"), "1.50", "1.50"),
        (Decimal128("1E+3"), "1000", "1000"),
        (Decimal128("1E-7"), "0.0000001", "0.0000001"),
        (Decimal128("1E+6000"), "1E+6000", "1E+6000"),
        (Decimal128("NaN"), "NaN", '"NaN"'),
        (DatetimeMS(1_772_359_200_123), "2026-03-01T10:00:00.123Z", '"2026-03-01T10:00:00.123Z"'),
        (DatetimeMS(-1), "1969-12-31T23:59:59.999Z", '"1969-12-31T23:59:59.999Z"'),
        (DatetimeMS(253_402_300_800_000), "253402300800000 ms since 1970", '"253402300800000 ms since 1970"'),
        (_AT, "2026-03-01T10:00:00.123Z", '"2026-03-01T10:00:00.123Z"'),
        (_AT.astimezone(timezone(timedelta(hours=5))), "2026-03-01T10:00:00.123Z", '"2026-03-01T10:00:00.123Z"'),
        (_AT.replace(tzinfo=None), "2026-03-01T10:00:00.123Z", '"2026-03-01T10:00:00.123Z"'),
        (_ID, "65f000000000000000000001", '"65f000000000000000000001"'),
        (Binary.from_uuid(_UUID), str(_UUID), f'"{_UUID}"'),
        (b"\x00\xff", "AP8=", '"AP8="'),
        (Binary(b"\x00\xff", 128), "AP8=", '"AP8="'),
        ([], "[]", "[]"),
        ({"b": [1, {"x": None}], "a": 1.5}, '{"b":[1,{"x":null}],"a":1.5}', '{"b":[1,{"x":null}],"a":1.5}'),
        (Timestamp(5, 1), '{"$timestamp": {"t": 5, "i": 1}}', '{"$timestamp": {"t": 5, "i": 1}}'),
        (Regex("a", "i"), '{"$regularExpression": {"pattern": "a", "options": "i"}}', None),
        (MaxKey(), '{"$maxKey": 1}', '{"$maxKey": 1}'),
        (Code("f()"), "f()", '"f()"'),
    ],
    ids=repr,
)
def test_a_value_has_one_text_by_itself_and_in_json(value: Any, text: str | None, in_json: str | None) -> None:
    assert text_of(value) == text
    assert json_of(value) == (text if in_json is None else in_json)


_leaves = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text()
_documents = st.recursive(_leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@given(_documents)
def test_json_gives_back_what_it_was_made_of(value: Any) -> None:
    def as_told(one: Any) -> Any:
        if isinstance(one, float) and one in (float("inf"), float("-inf")):
            return text_of(one)
        if isinstance(one, dict):
            return {name: as_told(inner) for name, inner in one.items()}
        return [as_told(inner) for inner in one] if isinstance(one, list) else one

    assert json.loads(json_of(value)) == as_told(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.0, "1"), (-0.0, "0"), (2.5, "2.5"), (1e22, "10000000000000000000000"), (Decimal128("1.00"), "1"),
     (Decimal128("0.30"), "0.3"), (Decimal128("NaN"), "NaN"), (float("nan"), "NaN"), ("007", "007"), (7, "7"),
     (_ID, str(_ID)), (None, None), (True, "true")],
    ids=repr,
)  # fmt: skip
def test_ids_that_a_database_holds_equal_are_the_same_text(value: Any, text: str | None) -> None:
    assert id_text(value) == text


@given(st.decimals(allow_nan=False, allow_infinity=False, places=5, min_value=-(10**9), max_value=10**9))
def test_an_id_that_is_a_decimal_reads_as_the_number_it_is(number: Decimal) -> None:
    assert Decimal(str(id_text(Decimal128(number)))) == number
