"""A version is promoted only where it is better than its baseline and than the champion."""

import math

import pytest

from lakehouse.learning.verdict import verdict
from lakehouse.registry.models import Measure
from tests.unit.learning.things import judged, made_model


@pytest.mark.parametrize(
    ("mine", "champion", "more", "promoted", "why"),
    [
        (0.6, None, {}, True, "promoted: good 0.6000, baseline 0.5000"),
        (0.5, None, {}, False, "not promoted: not better than the baseline"),
        (math.nan, None, {}, False, "not better than the baseline"),
        (0.6, 0.55, {}, True, "champion (version 3) 0.5500"),
        (0.6, 0.6, {}, False, "not promoted: not better than the champion: good 0.6000, baseline 0.5000, champion"),
        (0.6, math.nan, {}, True, "promoted"),
        (0.52, None, {"margin": 0.05}, False, "not better than the baseline"),
        (0.4, 0.45, {"lower_is_better": True}, True, "promoted"),
        (0.6, 0.45, {"lower_is_better": True}, False, "not better than the baseline"),
    ],
)
def test_what_is_promoted_and_why(
    mine: float, champion: float | None, more: dict[str, object], promoted: bool, why: str
) -> None:
    measure = None if champion is None else Measure(champion)
    found = verdict(made_model(**more), judged(mine), measure, 3)
    assert found.promoted is promoted
    assert why in found.why
