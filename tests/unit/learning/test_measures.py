"""Measures of models, each beside what it means, worked out the long way."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.learning import measures

LABELLED = st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=30).filter(
    lambda rows: 0 < sum(label for label, _ in rows) < len(rows)
)


def arrays(rows: list[tuple[bool, int]]) -> tuple[measures.Floats, measures.Floats]:
    return np.array([float(label) for label, _ in rows]), np.array([float(score) for _, score in rows])


@given(LABELLED)
def test_auc_is_the_chance_that_a_positive_row_has_the_higher_score(rows: list[tuple[bool, int]]) -> None:
    high = [score for label, score in rows if label]
    low = [score for label, score in rows if not label]
    won = sum(1.0 if a > b else 0.5 if a == b else 0.0 for a, b in product(high, low))
    assert measures.auc(*arrays(rows)) == pytest.approx(won / len(high) / len(low))


@given(LABELLED)
def test_average_precision_follows_the_steps_of_recall(rows: list[tuple[bool, int]]) -> None:
    positive, area, before = sum(label for label, _ in rows), 0.0, 0
    for threshold in sorted({score for _, score in rows}, reverse=True):
        above = [label for label, score in rows if score >= threshold]
        area += (sum(above) - before) / positive * sum(above) / len(above)
        before = sum(above)
    assert measures.average_precision(*arrays(rows)) == pytest.approx(area)


def test_where_all_labels_are_alike_nothing_is_known() -> None:
    labels, scores = np.zeros(3), np.array([0.1, 0.2, 0.3])
    assert all(
        math.isnan(measure(labels, scores)) for measure in (measures.auc, measures.average_precision, measures.lift)
    )


def test_lift_brier_and_calibration() -> None:
    labels = np.array([1.0] * 5 + [0.0] * 15)
    scores = np.linspace(0.9, 0.0, 20)
    assert measures.lift(labels, scores) == pytest.approx(4)
    assert measures.brier(np.array([1.0, 0.0]), np.array([0.5, 0.5])) == pytest.approx(0.25)
    bins = measures.calibration(labels, scores)
    assert sum(rows for _, _, rows in bins) == 20
    assert bins[0][1] == 0
    assert bins[-1][1] == 1
    assert measures.calibration_error(labels, labels) == pytest.approx(0)


def test_ndcg_is_one_for_the_best_list_and_counts_what_comes_late_for_less() -> None:
    assert measures.ndcg([True, True, False], 2, 3) == pytest.approx(1)
    assert measures.ndcg([False, True], 1, 2) == pytest.approx(1 / math.log2(3))
    assert measures.ndcg([False, False], 1, 2) == 0
    assert math.isnan(measures.ndcg([], 0, 2))


def test_an_interval_holds_its_measure_and_is_the_same_for_a_seed() -> None:
    values = np.random.default_rng(1).normal(0, 1, 500)
    found = [measures.with_interval(500, lambda rows: float(values[rows].mean()), seed) for seed in (3, 3, 4)]
    assert found[0] == found[1] != found[2]
    assert found[0].low is not None
    assert found[0].high is not None
    assert found[0].low < found[0].value < found[0].high
    assert str(found[0]).count("to") == 1
