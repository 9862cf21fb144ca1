"""Models, versions and inputs for tests."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from pyspark.sql import DataFrame

from lakehouse.learning.store import Trial
from lakehouse.registry.known import Known
from lakehouse.registry.models import Judged, Measure, Model, ModelDeclaration, Trained

DAY = date(2026, 3, 1)


class Nothing:
    """A learner that learns nothing."""

    def train(self, known: Known, champion: Trained | None, seed: int) -> Trained:
        return {"model.txt": b"1"}

    def judge(self, trained: Trained, known: Known, since: date, seed: int) -> Judged:
        return judged(float(trained["model.txt"]))

    def score(self, trained: Trained, known: Known) -> DataFrame:
        raise NotImplementedError


def judged(value: float, baseline: float = 0.5) -> Judged:
    return Judged({"good": Measure(value)}, {"good": Measure(baseline)}, 10)


def made_model(**said: Any) -> Model:
    values = {"name": "m", "scores": "m_scores", "reads": {"events": "silver.events"}, "times": {"events": "at"},
              "clock": "events", "holdout_days": 7, "gate": "good", "grain": "id", "columns": {"id": "Who."}}  # fmt: skip
    declaration = ModelDeclaration.model_validate({**values, **said})
    return Model(declaration, Nothing(), reads=declaration.reads, definition="d")


def trial(value: float = 1.0, *, promoted: bool = True, files: Mapping[str, bytes] | None = None) -> Trial:
    return Trial(
        until=DAY,
        since=date(2026, 2, 22),
        inputs={"silver.events": 2**62 + 1},
        definition="d",
        seed=7,
        promoted=promoted,
        why="promoted: good" if promoted else "not promoted",
        judged=judged(value),
        files=files or {"model.txt": str(value).encode()},
        card={"card.md": "# Model m\n"},
    )
