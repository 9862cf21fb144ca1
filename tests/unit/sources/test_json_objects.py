"""A text is an object, or it is said why not; its values are as they are written."""

import pytest

from lakehouse.sources.json_objects import NoObjectError, as_written, decoded, objects
from lakehouse.sources.records import Number


def test_an_object_has_its_fields_also_where_a_number_fits_no_float() -> None:
    assert decoded(b'{"a": 1, "b": null}') == {"a": 1, "b": None}
    assert decoded(b'{"a": 1e400}').keys() == {"a"}
    assert as_written(b'{"a": 1e400, "s": {"c": 1.50}, "x.y": [2.0]}', ("a",)) == "1e400"
    assert as_written(b'{"s": {"c": 1.50}}', ("s", "c")) == "1.50"
    assert as_written(b'{"x.y": [2.0]}', ("x", "y")) == "[2.0]"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "truncated"),
        (b'{"secret": ', "truncated"),
        (b"[1]", "Expected `object`, got `array`"),
        (b'{"secret": "\xff"}', "UTF-8"),
    ],
)
def test_what_is_none_says_why_without_its_content(text: bytes, why: str) -> None:
    with pytest.raises(NoObjectError) as error:
        decoded(text)
    assert why in str(error.value)
    assert "secret" not in str(error.value)
    assert list(objects([text, b"{}"])) == [{}]


def test_numbers_are_as_they_are_written() -> None:
    found = decoded(b'{"a": 1.50, "b": 2, "c": 1e400, "d": [-0.0]}')
    assert found == {"a": "1.50", "b": 2, "c": "1e400", "d": ["-0.0"]}
    assert isinstance(found["a"], Number)
