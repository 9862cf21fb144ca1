"""Measures of what models say, with intervals by resampling.

Sources: the area under the ROC curve is the Mann-Whitney statistic (Hanley and McNeil, 1982); average precision is the sum of
precision over the steps of recall, which is what the area under the precision-recall curve is called here; NDCG after Järvelin
and Kekäläinen (2002); intervals are percentiles of the bootstrap (Efron, 1979).
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from lakehouse.registry.models import Measure

Floats = NDArray[np.float64]
_RESAMPLES, _BINS = 200, 10


def auc(labels: Floats, scores: Floats) -> float:
    """The chance that a row with label 1 has a higher score than one with label 0; equal scores count half."""
    positive = int(labels.sum())
    negative = len(labels) - positive
    if not positive or not negative:
        return float("nan")
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(count) - (count - 1) / 2)[place]
    return float((ranks[labels == 1].sum() - positive * (positive + 1) / 2) / (positive * negative))


def average_precision(labels: Floats, scores: Floats) -> float:
    """The mean precision at each row with label 1, from the highest score down; rows of one score count together."""
    if not labels.sum():
        return float("nan")
    different, place = np.unique(-scores, return_inverse=True)
    found = np.bincount(place, weights=labels, minlength=len(different)).cumsum()
    seen = np.bincount(place, minlength=len(different)).cumsum()
    steps = np.diff(found, prepend=0.0)
    return float((steps * found / seen).sum() / labels.sum())


def lift(labels: Floats, scores: Floats, share: float = 0.1) -> float:
    """How many times more frequent label 1 is among the ``share`` of rows with the highest scores than among all."""
    among = max(1, round(len(labels) * share))
    first = np.argsort(-scores, kind="stable")[:among]
    return float(labels[first].mean() / labels.mean()) if labels.sum() else float("nan")


def brier(labels: Floats, probabilities: Floats) -> float:
    """The mean squared difference of probability and label (Brier, 1950); lower is better."""
    return float(((probabilities - labels) ** 2).mean())


def calibration(labels: Floats, probabilities: Floats) -> list[tuple[float, float, int]]:
    """For each tenth of the rows by probability: its mean, the share of label 1, and the rows."""
    order = np.argsort(probabilities, kind="stable")
    bins = [part for part in np.array_split(order, _BINS) if len(part)]
    return [(float(probabilities[part].mean()), float(labels[part].mean()), len(part)) for part in bins]


def calibration_error(labels: Floats, probabilities: Floats) -> float:
    """The mean distance of probability and share over those tenths, each by its rows; lower is better."""
    found = calibration(labels, probabilities)
    return sum(abs(said - true) * rows for said, true, rows in found) / len(labels)


def dcg(relevant: Sequence[bool]) -> float:
    """Discounted gain of a list, best first, of which each item is relevant or not."""
    return float(sum(1 / np.log2(place + 2) for place, is_relevant in enumerate(relevant) if is_relevant))


def ndcg(relevant: Sequence[bool], there: int, most: int) -> float:
    """DCG of the first ``most`` items over that of the best list, in which ``there`` relevant ones stand first."""
    best = dcg([True] * min(there, most))
    return dcg(relevant[:most]) / best if best else float("nan")


def with_interval(rows: int, measure: Callable[[NDArray[np.int64]], float], seed: int) -> Measure:
    """``measure`` of all rows, and its 95 % interval.

    Args:
        measure: is given the numbers of the rows to measure, some of them several times.
    """
    chance = np.random.default_rng(seed)
    found = [measure(chance.integers(0, rows, rows)) for _ in range(_RESAMPLES)]
    low, high = np.nanpercentile(found, [2.5, 97.5])
    return Measure(measure(np.arange(rows)), float(low), float(high))


def of_probabilities(labels: Floats, probabilities: Floats, seed: int) -> Mapping[str, Measure]:
    """How well ``probabilities`` tell which labels are 1."""
    measures: dict[str, Callable[[Floats, Floats], float]] = {
        "auc": auc, "pr_auc": average_precision, "lift_at_10": lift, "brier": brier,
        "calibration_error": calibration_error}  # fmt: skip

    def among(measure: Callable[[Floats, Floats], float]) -> Callable[[NDArray[np.int64]], float]:
        return lambda rows: measure(labels[rows], probabilities[rows])

    return {name: with_interval(len(labels), among(measure), seed) for name, measure in measures.items()}
