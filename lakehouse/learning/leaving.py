"""Who leaves: a learner from what each one did and when.

Features of a day follow from what came before it. The label is whether nothing came in the ``horizon_days`` after; it is known
of days that lie so far back, so a version is trained on several of them, ``step_days`` apart. All sums are of whole numbers,
and rows are sorted before they are learnt from: whatever order Spark brings them in, the model is the same.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from lakehouse.errors import DataError
from lakehouse.learning.measures import Floats, calibration, of_probabilities
from lakehouse.learning.trees import loaded, saved
from lakehouse.registry.known import Known
from lakehouse.registry.models import Judged, Trained
from lakehouse.spark import rows_to_frame

_DAY, _ONE = 86_400.0, "one"
_FEATURES = (
    "recency_days", "events", "events_30", "events_90", "events_180", "amount", "amount_90", "gap_mean_days", "gap_std_days",
    "last_gap_days", "tenure_days", "incidents", "incident_days", "incidents_per_event", "recency_over_gap")  # fmt: skip


class Leaving:
    """Learns which of those who did something lately will do nothing in the days after.

    A subclass says what they did, by :meth:`events`.

    Attributes:
        one: the name of the column of who leaves, in the scores.
        horizon_days: who does nothing for so long has left.
        active_days: who did nothing for so long is not asked about.
        step_days, most_days: how far the days lie apart that are learnt from, and how many there are at the most.
        rhythm_days: the rule without a model takes it for the time between two events of who has only one.
    """

    one: ClassVar[str] = "customer_id"
    horizon_days: ClassVar[int] = 90
    active_days: ClassVar[int] = 180
    step_days: ClassVar[int] = 30
    most_days: ClassVar[int] = 8
    rhythm_days: ClassVar[float] = 90.0
    rounds: ClassVar[int] = 120

    def events(self, known: Known) -> DataFrame:
        """What they did: ``one`` (who), ``at`` (timestamp, UTC), ``amount`` (a whole number, of cents say).

        It must say the same of a day whatever came later: no state that changes afterwards.
        """
        raise NotImplementedError

    def incidents(self, known: Known) -> DataFrame:
        """What went wrong for them: ``one`` and ``at``, by the same rule."""
        raise NotImplementedError

    def train(self, known: Known, champion: Trained | None, seed: int) -> Trained:
        """Gradient-boosted trees over the features of several days."""
        import xgboost  # noqa: PLC0415  (an extra)

        del champion
        last = known.until - timedelta(days=self.horizon_days)
        days = [last - timedelta(days=self.step_days * number) for number in range(self.most_days)]
        rows = self._labelled(known, days)
        labels = _floats(rows, "left")
        _refuse_useless(labels, known.until)
        booster = xgboost.train(
            {"objective": "binary:logistic", "max_depth": 4, "eta": 0.06, "subsample": 0.8, "colsample_bytree": 0.8,
             "min_child_weight": 8, "tree_method": "hist", "nthread": 1, "seed": seed, "base_score": float(labels.mean())},
            xgboost.DMatrix(_matrix(rows), labels, feature_names=list(_FEATURES)),
            num_boost_round=self.rounds,
        )  # fmt: skip
        return saved(booster, _FEATURES)

    def judge(self, trained: Trained, known: Known, since: date, seed: int) -> Judged:
        """Those who were active on ``since``, beside the rule 1 - 2^(-recency / own mean gap)."""
        rows = self._labelled(known, [since])
        labels = _floats(rows, "left")
        said = _probabilities(trained, rows)
        if not len(labels) or labels.min() == labels.max():
            raise DataError(
                f"judging who left since {since}: {len(labels):,} were active, and all of them stayed or all left; expected "
                "some of each.",
                remedy="Wait for more days, or choose another holdout.",
            )
        return Judged(
            of_probabilities(labels, said, seed),
            of_probabilities(labels, self._by_rule(rows), seed),
            len(labels),
            calibration(labels, said),
        )

    def score(self, trained: Trained, known: Known) -> DataFrame:
        """``one``, ``probability`` (double, in [0, 1]), ``decile`` (1: most likely to leave … 10)."""
        rows = self._features(known, [known.until])
        said = _probabilities(trained, rows)
        place = np.empty(len(said))
        place[np.argsort(-said, kind="stable")] = np.arange(len(said))
        deciles = (1 + np.floor(10 * place / max(1, len(said)))).astype(np.int32)
        scored = pa.table({self.one: rows.column(_ONE), "probability": said, "decile": deciles})
        return rows_to_frame(known.spark, scored)

    def _labelled(self, known: Known, days: Sequence[date]) -> pa.Table:
        """The features of each of ``days``, and ``left``: 1 where no event came in the horizon after it."""
        after = (
            _crossed(self.events(known).select(_ONE, "at"), days)
            .where(F.col("at") >= F.col("day"))
            .where(F.col("at") < F.date_add("day", self.horizon_days))
            .select(_ONE, "day")
            .distinct()
            .toArrow()
        )
        rows = self._features(known, days)
        came = set(zip(after.column(_ONE).to_pylist(), after.column("day").to_pylist(), strict=True))
        mine = zip(rows.column(_ONE).to_pylist(), rows.column("day").to_pylist(), strict=True)
        return rows.append_column("left", pa.array([0.0 if key in came else 1.0 for key in mine], pa.float64()))

    def _features(self, known: Known, days: Sequence[date]) -> pa.Table:
        """``one``, ``day`` and the features, sorted; a row for each day and each one who was active then."""
        by_one = Window.partitionBy(_ONE).orderBy("at")
        gap = F.unix_seconds("at") - F.lag(F.unix_seconds("at")).over(by_one)
        events = self.events(known).withColumn("gap", gap)
        age = F.datediff("day", F.to_date("at"))
        grouped = (
            _crossed(events, days)
            .where(F.col("at") < F.col("day"))
            .groupBy(_ONE, "day")
            .agg(
                F.min(age).alias("recency_days"),
                F.max(age).alias("tenure_days"),
                F.count(F.lit(1)).alias("events"),
                *(F.count_if(age <= days_ago).alias(f"events_{days_ago}") for days_ago in (30, 90, 180)),
                F.sum("amount").alias("amount"),
                F.sum(F.when(age <= 90, F.col("amount"))).alias("amount_90"),
                F.count("gap").alias("gaps"),
                F.sum("gap").alias("gap_sum"),
                F.sum(F.col("gap").cast("decimal(20,0)") * F.col("gap")).alias("gap_squares"),
                F.max_by("gap", "at").alias("last_gap"),
            )
            .where(F.col("recency_days") <= self.active_days)
        )
        gaps = F.nullif("gaps", F.lit(0))
        mean = F.col("gap_sum") / gaps
        spread = F.sqrt(F.greatest(F.col("gap_squares").cast("double") / gaps - mean * mean, F.lit(0.0)))
        incidents = (
            _crossed(self.incidents(known), days)
            .where(F.col("at") < F.col("day"))
            .groupBy(_ONE, "day")
            .agg(F.count(F.lit(1)).alias("incidents"), F.min(age).alias("incident_days"))
        )
        derived = grouped.join(incidents, on=[_ONE, "day"], how="left").select(
            _ONE,
            "day",
            *(name for name in _FEATURES if name in grouped.columns),
            F.coalesce("incidents", F.lit(0)).alias("incidents"),
            "incident_days",
            (mean / _DAY).alias("gap_mean_days"),
            (spread / _DAY).alias("gap_std_days"),
            (F.col("last_gap") / _DAY).alias("last_gap_days"),
            (F.coalesce("incidents", F.lit(0)) / F.col("events")).alias("incidents_per_event"),
            (F.col("recency_days") / (mean / _DAY + 1)).alias("recency_over_gap"),
        )
        return derived.toArrow().sort_by([("day", "ascending"), (_ONE, "ascending")]).combine_chunks()

    def _by_rule(self, rows: pa.Table) -> Floats:
        gap = np.nan_to_num(_floats(rows, "gap_mean_days"), nan=self.rhythm_days)
        return np.asarray(1 - 2.0 ** (-_floats(rows, "recency_days") / np.maximum(gap, 1)), np.float64)


def _crossed(events: DataFrame, days: Sequence[date]) -> DataFrame:
    """Each event once for each day."""
    return events.withColumn("day", F.explode(F.array(*map(F.lit, days))))


def _floats(rows: pa.Table, name: str) -> Floats:
    """A column as doubles; NULL is NaN."""
    values: Any = rows.column(name).cast(pa.float64()).to_numpy(zero_copy_only=False)
    return np.asarray(values, np.float64)


def _matrix(rows: pa.Table) -> Floats:
    return np.column_stack([_floats(rows, name) for name in _FEATURES])


def _probabilities(trained: Trained, rows: pa.Table) -> Floats:
    """What a model says of ``rows``."""
    import xgboost  # noqa: PLC0415  (an extra)

    data = xgboost.DMatrix(_matrix(rows), feature_names=list(_FEATURES))
    return np.asarray(loaded(trained, _FEATURES).predict(data), np.float64)


def _refuse_useless(labels: Floats, until: date) -> None:
    if not len(labels):
        raise DataError(
            f"learning who leaves: nobody was active before {until}; expected somebody to learn from. The last scores stay.",
            remedy="Look at the model's inputs: are they empty, or do they begin later?",
        )
    if labels.min() == labels.max():
        one = "left" if labels[0] else "stayed"
        raise DataError(
            f"learning who leaves: all {len(labels):,} rows before {until} {one}; expected some of each. The last "
            "scores stay.",
            remedy="Look at the model's inputs, or choose another horizon.",
        )
