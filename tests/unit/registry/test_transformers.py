"""The decorator of Python transformers: what it takes, and which mistakes are named with file and line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lakehouse.errors import ConfigurationError
from lakehouse.paths import gold, silver
from lakehouse.registry.collecting import collecting
from lakehouse.registry.transformers import Transformer, transformer

SAID: dict[str, Any] = {"table": "top", "reads": {"coupons": "silver.coupons"}}


def top(coupons: Any, *, kinds: Any, parts: Any) -> Any:
    """The best coupons.

    More of them.
    """


LINE = top.__code__.co_firstlineno


def made(function: Callable[..., Any] = top, **said: Any) -> Transformer:
    with collecting() as found:
        transformer(**{**SAID, **said})(function)
    (one,) = found
    assert isinstance(one, Transformer)
    return one


def refused(function: Callable[..., Any] = top, **said: Any) -> str:
    with pytest.raises(ConfigurationError) as caught:
        made(function, **said)
    return str(caught.value)


def test_what_is_said_and_what_the_function_takes_make_a_transformer() -> None:
    found = made(grain="code", rebuild_by=["code"], narrows={"coupons": "upper(code)"}, columns={"code": "The code."})
    assert (found.table, found.target, found.reads) == ("top", gold("top"), {"coupons": silver("coupons")})
    assert (found.grain, found.rebuild_by, found.narrows) == (("code",), ("code",), {"coupons": ("upper(code)",)})
    assert (found.description, found.parameters, found.wants) == ("The best coupons.", ("kinds",), frozenset({"parts"}))
    assert found.function is top


def test_the_decorated_function_stays_as_it_is_and_is_collected_only_where_someone_collects() -> None:
    assert transformer(**SAID)(top) is top
    with collecting() as found:
        pass
    assert found == []


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"grian": ("code",)}, "unknown key 'grian'. Did you mean 'grain'?"),
        ({"table": "Top"}, "table: the name of a table: 'Top' is not a valid name"),
        ({"grain": 5}, "grain: Input should be a valid tuple (found 5)."),
        ({"grain": "cod", "columns": {"code": ""}}, "grain: 'cod' is not among `columns`. Did you mean 'code'?"),
        (
            {"reads": {"coupons": "raw.coupons"}},
            "reads.coupons: 'raw.coupons' is of layer raw; expected a table of silver",
        ),
        ({"reads": {"coupons": "slver.coupons"}}, "reads.coupons: table 'slver.coupons': there is no layer 'slver'"),
        ({"narrows": {"coupon": "a"}}, "narrows: 'coupon' is not among what it reads. Did you mean 'coupons'?"),
        ({"touched": {"other": top}}, "touched: 'other' is not among what it reads."),
        ({"touched": {"coupons": "code"}}, "touched.coupons: Input should be callable"),
        ({"rebuild_by": "code"}, "rebuild_by goes with narrows or touched"),
        ({"partition_by": "weeks(day)"}, "partition_by: 'weeks(day)' is not a partition field"),
        ({"reads": {"people": "silver.users"}}, "it takes coupons and reads people; expected the same names."),
    ],
)
def test_a_mistake_is_named_with_file_and_line_of_the_function(said: dict[str, Any], expected: str) -> None:
    message = refused(**said)
    assert message.startswith(f"{Path(__file__)}:{LINE}: transformer of gold table {said.get('table', 'top')!r}: ")
    assert expected in message


def test_all_mistakes_are_told_at_once() -> None:
    assert refused(grain=1, partition_by=2).count(f"{Path(__file__)}:{LINE}: ") == 2
