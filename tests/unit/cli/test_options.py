import pytest

from lakehouse.cli.options import listed


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", []), ("a", ["a"]), ("a,b", ["a", "b"]), (" a , b ,", ["a", "b"]), (",,", []), ("a b", ["a b"])],
)
def test_items_are_separated_by_commas_and_empty_ones_are_left_out(text: str, expected: list[str]) -> None:
    assert listed(text) == expected
