"""Groups of alike ones: found, named, and numbered as before."""

import json
from random import Random
from typing import Any

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession

from lakehouse.errors import DataError
from lakehouse.learning.groups import Groups, silhouettes
from lakehouse.registry.known import Known
from lakehouse.registry.models import Trained
from tests.unit.learning.people import END, frame, known

MIDDLES = {"a": (1.0, 1.0), "b": (20.0, 1.0), "c": (10.0, 30.0)}


class Places(Groups):
    """Of points."""

    one, features, least, most = "id", {"x": ("right", "left"), "y": ("high", "low")}, 2, 5

    def behaviour(self, known: Known) -> DataFrame:
        return known.table("points")


def points(spark: SparkSession, seed: int = 1, each: int = 40, spread: float = 1.0) -> Known:
    random = Random(seed)
    rows = [
        (f"{name}{n}", random.gauss(x, spread), random.gauss(y, spread))
        for name, (x, y) in MIDDLES.items()
        for n in range(each)
    ]
    random.shuffle(rows)
    return known(points=frame(spark, rows, "one string, x double, y double"))


def grouped(places: Places, trained: Trained, now: Known) -> dict[str, set[tuple[int, str]]]:
    found: dict[str, set[tuple[int, str]]] = {}
    for row in places.score(trained, now).collect():
        found.setdefault(row["id"][0], set()).add((row["cluster"], row["profile"]))
    return found


def test_groups_are_found_with_a_profile_and_keep_their_numbers(spark: SparkSession) -> None:
    places = Places()
    first = places.train(points(spark), None, 7)
    assert places.train(points(spark), None, 7) == first
    found = grouped(places, first, points(spark))
    assert {name: len(groups) for name, groups in found.items()} == {"a": 1, "b": 1, "c": 1}
    profiles = {name: next(iter(groups))[1] for name, groups in found.items()}
    assert profiles == {"a": "left, low", "b": "right, low", "c": "high"}
    for seed in range(2, 6):
        later = places.train(points(spark, seed), first, seed)
        assert grouped(places, later, points(spark, seed)) == found
    judged = places.judge(first, points(spark, 9), END, 7)
    assert judged.measures["silhouette"].value > 0.7 > judged.baseline["silhouette"].value
    assert judged.measures["groups"].value == 3


def test_few_rows_and_other_features_are_refused(spark: SparkSession) -> None:
    with pytest.raises(DataError, match="15 are known before 2026-03-01; expected at least 50"):
        Places().train(points(spark, each=5), None, 7)
    other: Any = {"groups.json": json.dumps({"features": ["z"]}).encode()}
    with pytest.raises(DataError, match=r"trained on \['z'\]; expected x, y"):
        Places().score(other, points(spark))


def test_silhouettes_are_those_of_the_definition() -> None:
    random = np.random.default_rng(1)
    values, labels = random.normal(0, 1, (30, 2)), random.integers(0, 3, 30)
    labels[0] = 9  # alone
    found = silhouettes(values, labels)
    for place, (value, label) in enumerate(zip(values, labels, strict=True)):
        apart = np.linalg.norm(values - value, axis=1)
        same = (labels == label) & (np.arange(30) != place)
        if not same.any():
            assert found[place] == 0
            continue
        inside = apart[same].mean()
        outside = min(apart[labels == other].mean() for other in set(labels) - {label})
        assert found[place] == pytest.approx((outside - inside) / max(inside, outside))
