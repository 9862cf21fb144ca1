"""The model registry: classes that learn from tables of the lake, and what is said of them.

    @model(
        name="redeeming",
        scores="redeeming_scores",
        reads={"coupons": "silver.coupons"},
        times={"coupons": "sent_at"},
        clock="coupons",
        holdout_days=30,
        gate="pr_auc",
        grain="coupon_id",
        columns={"coupon_id": "The coupon.", "probability": "That it is redeemed in the 30 days after."},
    )
    class Redeeming: ...

A run with ``--models`` trains it where that is due, on what was known ``holdout_days`` before the newest day, judges it by
what came since, and promotes it when it beats both its baseline and the champion. The champion's scores are a gold table.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol, Self

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator
from pyspark.sql import DataFrame

from lakehouse import yaml_file
from lakehouse.errors import ConfigurationError, suggest
from lakehouse.model import Strict
from lakehouse.paths import Layer, TableName
from lakehouse.registry.collecting import hand_in
from lakehouse.registry.declaration import Names, Readable, Said
from lakehouse.registry.fields import TableText
from lakehouse.registry.known import Known

#: What training leaves: files by name.
Trained = Mapping[str, bytes]

#: The columns that the engine adds to a table of scores.
VERSION_COLUMN, AS_OF_COLUMN = "model_version", "as_of"
_ADDED = {
    VERSION_COLUMN: "Version of the model that gave the scores.",
    AS_OF_COLUMN: "The day (UTC) at whose beginning what the scores are made from ends.",
}


@dataclass(frozen=True)
class Measure:
    """A number by which a model is judged, and the interval that holds it with 95 % (by resampling); ``None`` without one."""

    value: float
    low: float | None = None
    high: float | None = None

    def __str__(self) -> str:
        interval = "" if self.low is None or self.high is None else f" ({self.low:.4f} to {self.high:.4f})"
        return f"{self.value:.4f}{interval}"


@dataclass(frozen=True)
class Judged:
    """How well a model did on what it had not seen.

    Attributes:
        measures: of the model, by name.
        baseline: the same of what would be done without it.
        rows: how many rows were judged.
        calibration: for models that give probabilities, for each bin: the mean probability, the share that came true, and
            the rows.
    """

    measures: Mapping[str, Measure]
    baseline: Mapping[str, Measure]
    rows: int
    calibration: Sequence[tuple[float, float, int]] = ()


class Learner(Protocol):
    """What learns, judges what was learnt, and scores. It holds nothing between two calls, and asks no clock.

    What it does follows from its arguments alone: the same ones give the same files, measures and scores.
    """

    def train(self, known: Known, champion: Trained | None, seed: int) -> Trained:
        """Learn from what is ``known``.

        Args:
            champion: what the version that is in use learnt, for models whose labels stay the same.

        Raises:
            DataError: there is nothing to learn from.
        """
        ...

    def judge(self, trained: Trained, known: Known, since: date, seed: int) -> Judged:
        """Compare what ``trained`` says of ``since`` with what came from then until the end of what is ``known``."""
        ...

    def score(self, trained: Trained, known: Known) -> DataFrame:
        """What it says now: the declared columns, a row for each combination of the grain."""
        ...


class Ranks(Protocol):
    """Orders candidates, from files that training left. It is asked by several threads.

    A learner that can rank has a method ``ranks(trained: Trained) -> Ranks`` besides those of :class:`Learner`.
    """

    def order(self, one: int | str, candidates: Sequence[int | str]) -> list[tuple[int | str, float]]:
        """The candidates with their scores, best first; those that are not known get the score of an unknown one, last.

        Scores are finite; each candidate comes back once, as it was given.
        """
        ...


class ModelDeclaration(Strict):
    """A model, as its decorator declares it. ``name`` is short for ``[name]`` where several may stand.

    Attributes:
        scores: the gold table of its scores.
        reads: the tables that it learns from, by the name that the class gives them.
        times: for each input whose rows come in the course of time, the column that says when.
        clock: the input whose newest row says which day it is: the last whole day before it is the last that is known.
        holdout_days: how many of the newest days are kept from training, to judge by.
        retrain_days: after how many days of data it is trained again.
        gate: the measure that must be better than the baseline's and the champion's.
        margin: by how much.
        lower_is_better: whether a lower measure is a better one.
        columns: what each column of the scores means.
        not_for: what the model must not be used for, for its card.
        seed: decides what in training is left to chance.
    """

    name: TableText
    scores: TableText
    reads: dict[str, Readable]
    times: dict[str, str]
    clock: str
    holdout_days: int = Field(ge=1)
    retrain_days: int = Field(default=30, ge=1)
    gate: str = Field(min_length=1)
    margin: float = Field(default=0.0, ge=0)
    lower_is_better: bool = False
    columns: dict[str, str]
    grain: Names
    description: str = ""
    not_for: str = ""
    seed: int = 7

    @field_validator("times")
    @classmethod
    def _of_inputs(cls, value: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        for name in value:
            if name not in info.data.get("reads", {name: None}):
                raise ValueError(f"{name!r} is not among what it reads. {suggest(name, list(info.data['reads']))}")
        return value

    @field_validator("columns")
    @classmethod
    def _not_the_engine_s(cls, value: dict[str, str]) -> dict[str, str]:
        if taken := sorted(_ADDED.keys() & value.keys()):
            raise ValueError(f"{', '.join(taken)}: the engine adds this column itself")
        return value

    @model_validator(mode="after")
    def _has_time(self) -> Self:
        if self.clock not in self.times:
            raise ValueError(f"clock {self.clock!r} is not among `times`. {suggest(self.clock, list(self.times))}")
        if not self.grain or not set(self.grain) <= self.columns.keys():
            raise ValueError("grain: expected at least one column, and all of them among `columns`")
        return self


@dataclass(frozen=True)
class Model:
    """A registered model. What is not told here is as in :class:`ModelDeclaration`.

    Attributes:
        learner: an instance of the decorated class.
        domain: the folder of the registry in which it stands.
        definition: a fingerprint of its code and of what is said of it; when it changes, the model is trained again.
    """

    said: ModelDeclaration
    learner: Learner
    domain: str = ""
    definition: str = ""
    reads: Mapping[str, TableName] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.said.name

    @property
    def target(self) -> TableName:
        """What a run makes when it trains."""
        return TableName(Layer.MODEL, self.said.name)

    @property
    def columns(self) -> dict[str, str]:
        """Those of the table of scores, the engine's among them."""
        return {**self.said.columns, **_ADDED}


def model(
    *,
    name: str,
    scores: str,
    reads: Mapping[str, str],
    times: Mapping[str, str],
    clock: str,
    holdout_days: int,
    gate: str,
    grain: Said,
    columns: Mapping[str, str],
    **more: Any,
) -> Callable[[type], type]:
    """Register the decorated class, a :class:`Learner` that is made without arguments, as model ``name``.

    The arguments are those of :class:`ModelDeclaration`; the description is the docstring's first line when absent.

    Raises:
        ConfigurationError: what is said does not hold together; file and line are those of the class.
    """

    def register(learner: type) -> type:
        where = f"{_place(learner)}: model {name!r}: "
        lacking = [method for method in ("train", "judge", "score") if not callable(getattr(learner, method, None))]
        if lacking:
            raise ConfigurationError(f"{where}the class has no {', '.join(lacking)}; expected train, judge and score.")
        said = {
            "name": name,
            "scores": scores,
            "reads": dict(reads),
            "times": dict(times),
            "clock": clock,
            "holdout_days": holdout_days,
            "gate": gate,
            "grain": grain,
            "columns": dict(columns),
            "description": inspect.cleandoc(learner.__doc__ or "").split("\n")[0],
            **more,
        }
        try:
            declaration = ModelDeclaration.model_validate(said)
        except ValidationError as error:
            told = yaml_file.mistakes(ModelDeclaration, error, lambda _: where)
            raise ConfigurationError("\n".join(told)) from None
        hand_in(Model(declaration, learner(), reads=declaration.reads))
        return learner

    return register


def _place(learner: type) -> str:
    code = next((value.__code__ for value in vars(learner).values() if inspect.isfunction(value)), None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else learner.__module__
