"""Learning to rank: the recommender's candidates in the order in which each one is most likely to take them.

Factors say what fits; beside them stand what is popular where one is, how much of what one took is of the same kind, and how
the price compares. Trees learn from the newest ``label_days`` of what is known, with features of before. A version needs
nothing but its files to answer, so that an endpoint can.

Source: LambdaMART (Burges, 2010), by XGBoost.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from io import BytesIO
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.errors import DataError
from lakehouse.learning.factors import Factors
from lakehouse.learning.measures import Floats
from lakehouse.learning.recommending import Places, Recommending, Scene, measures_of, wanted_of
from lakehouse.learning.trees import loaded, saved
from lakehouse.registry.known import Known
from lakehouse.registry.models import Judged, Trained
from lakehouse.spark import rows_to_frame

FEATURES = ("fit", "popular_here", "popular", "kind_share", "price_ratio", "days_since_taken")
_STATS = "stats.npz"


class Ranking(Recommending):
    """Learns to rank. A subclass says, besides what :class:`Recommending` asks, what items are like, by :meth:`about`.

    Attributes:
        candidates: how many of the recommender are ranked for each one.
        label_days: the newest days of what is known tell which candidates were taken.
    """

    candidates: ClassVar[int] = 50
    label_days: ClassVar[int] = 28
    trees: ClassVar[int] = 80

    def about(self, known: Known) -> DataFrame:
        """What items are like: ``item``, ``kind`` (text), ``price`` (a number)."""
        raise NotImplementedError

    def train(self, known: Known, champion: Trained | None, seed: int) -> Trained:
        """Trees that order candidates, and the factors and numbers that they look at, of all that is known."""
        import xgboost  # noqa: PLC0415  (an extra)

        before = known.at(known.until - timedelta(days=self.label_days))
        files = dict(super().train(before, champion, seed)) | _stats(self, before)
        tasks = self._tasks(files, known, before)
        if not tasks:
            raise DataError(
                f"learning to rank: no candidate was taken in the {self.label_days} days before {known.until}; expected "
                "some to learn from. The last scores stay.",
                remedy="Wait for more days, or rank more candidates.",
            )
        pairs = _Pairs(files)
        rows = [pairs.features(task.one, task.candidates) for task in tasks]
        labels = np.concatenate([np.isin(task.candidates, list(task.taken)) for task in tasks]).astype(np.float64)
        data = xgboost.DMatrix(np.concatenate(rows), labels, feature_names=list(FEATURES))
        data.set_group([len(task.candidates) for task in tasks])
        booster = xgboost.train(
            {"objective": "rank:ndcg", "max_depth": 4, "eta": 0.1, "min_child_weight": 5, "tree_method": "hist", "nthread": 1,
             "seed": seed, "lambdarank_pair_method": "topk", "lambdarank_num_pair_per_sample": 8},
            data,
            num_boost_round=self.trees,
        )  # fmt: skip
        newest = dict(super().train(known, champion, seed)) | _stats(self, known)
        return {**newest, **saved(booster, FEATURES)}

    def judge(self, trained: Trained, known: Known, since: date, seed: int) -> Judged:
        """Candidates in the learnt order beside the recommender's own one, for those who took one of them since."""
        before = known.at(since)
        tasks, ranks = self._tasks(trained, known, before), self.ranks(trained)
        if not tasks:
            raise DataError(
                f"judging a ranking since {since}: nobody took a candidate; expected somebody.",
                remedy="Wait for more days, or rank more candidates.",
            )
        taken, items = [task.taken for task in tasks], len(ranks.items.keys)
        learnt = [ranks.ordered(task.one, task.candidates)[: self.most].tolist() for task in tasks]
        own = [task.candidates[: self.most].tolist() for task in tasks]
        return Judged(
            measures_of(learnt, taken, items, self.most, seed),
            measures_of(own, taken, items, self.most, seed),
            len(tasks),
        )

    def score(self, trained: Trained, known: Known) -> DataFrame:
        """``one``, ``rank`` (int, from 1), ``item``: the first ``most`` of the candidates in the learnt order."""
        scene, ranks = Scene.of(self, trained, known), self.ranks(trained)
        asked = np.flatnonzero(scene.rows_of_ones >= 0).astype(np.int64)
        lists = [
            ranks.ordered(int(scene.rows_of_ones[one]), np.array(row, np.int64))[: self.most]
            for one, row in zip(asked, scene.best(asked, self.candidates), strict=True)
        ]
        counts = [len(row) for row in lists]
        scored = pa.table(
            {
                self.one: scene.ones.take(pa.array(np.repeat(asked, counts))),
                "rank": pa.array([place + 1 for count in counts for place in range(count)], pa.int32()),
                self.item: scene.items.keys.take(
                    pa.array(np.concatenate([*lists, np.array([], np.int64)]), pa.int64())
                ),
            }
        )
        return rows_to_frame(known.spark, scored)

    def ranks(self, trained: Trained) -> "Ranked":
        """What orders candidates, from the files alone.

        Raises:
            DataError: they were made for other features.
        """
        return Ranked(trained)

    def _tasks(self, files: Trained, known: Known, before: Known) -> list["_Task"]:
        """What is ranked for those who took one of their candidates for the first time after ``before``."""
        scene = Scene.of(self, files, before)
        asked, wanted = wanted_of(self.taken_since(known, before, new=True), scene)
        found = zip(scene.rows_of_ones[asked], scene.best(asked, self.candidates), wanted, strict=True)
        return [
            _Task(int(one), np.array(row, np.int64), items & set(row)) for one, row, items in found if items & set(row)
        ]


@dataclass(frozen=True)
class _Task:
    """The candidates of one (all of them rows of the factors), the recommender's best first, and which of them it took."""

    one: int
    candidates: Places
    taken: set[int]


@dataclass(frozen=True)
class _Stats:
    """What the features of a pair follow from; rows are those of the factors.

    Attributes:
        place: of each one.
        popular: times that each item was taken, at each place.
        kinds: of each item.
        shares: of what each one took, how much is of each kind.
        mean_price: of what each one took.
        age: days since each item was last taken.
    """

    place: NDArray[np.int64]
    popular: Floats
    kinds: NDArray[np.int64]
    shares: NDArray[np.float32]
    price: Floats
    mean_price: Floats
    age: Floats


class _Pairs:
    """What is known of pairs of one and item, from the files of a version."""

    def __init__(self, files: Trained) -> None:
        self.items, self._ones = Factors.from_bytes(files["items.arrow"]), Factors.from_bytes(files["ones.arrow"])
        with np.load(BytesIO(files[_STATS])) as found:
            self._stats = _Stats(**{name: found[name] for name in found.files})

    def features(self, one: int, items: Places) -> Floats:
        """A row of :data:`FEATURES` for each of ``items``; what is not known of ``one`` is NaN."""
        stats = self._stats
        everywhere = stats.popular.sum(axis=0)
        known = one >= 0
        here = stats.popular[stats.place[one]] if known else everywhere
        fit = self.items.vectors[items] @ self._ones.vectors[one] if known else np.full(len(items), np.nan)
        share = stats.shares[one][stats.kinds[items]] if known else np.full(len(items), np.nan)
        ratio = stats.price[items] / stats.mean_price[one] if known else np.full(len(items), np.nan)
        return np.column_stack(
            [fit, _share(here, items), _share(everywhere, items), share, ratio, stats.age[items]]
        ).astype(np.float64)


class Ranked(_Pairs):
    """Orders candidates, from the files of a version. Several threads may ask it."""

    def __init__(self, files: Trained) -> None:
        super().__init__(files)
        self._booster = loaded(files, FEATURES)

    def order(self, one: int | str, candidates: Sequence[int | str]) -> list[tuple[int | str, float]]:
        """The candidates with their scores, best first; those that are not known come last, with the lowest score."""
        rows = self.items.of(_array(candidates, self.items.keys.type))
        who = int(self._ones.of(_array([one], self._ones.keys.type))[0])
        known = np.flatnonzero(rows >= 0)
        scores = np.full(len(candidates), np.nan)
        if len(known):
            scores[known] = self.scores(who, rows[known])
        lowest = float(np.nanmin(scores)) - 1 if len(known) else 0.0
        scores = np.nan_to_num(scores, nan=lowest)
        return [(candidates[place], float(scores[place])) for place in np.argsort(-scores, kind="stable")]

    def ordered(self, one: int, items: Places) -> Places:
        """``items`` (rows) in the order for ``one`` (a row; -1: nobody knows), best first."""
        return items[np.argsort(-self.scores(one, items), kind="stable")] if len(items) else items

    def scores(self, one: int, items: Places) -> Floats:
        """How likely ``one`` is to take each of ``items``: only their order means something."""
        return np.asarray(self._booster.inplace_predict(self.features(one, items)), np.float64)


def _share(counts: Floats, items: Places) -> Floats:
    return np.asarray(counts[items] / max(1.0, float(counts.max())), np.float64)


def _stats(learner: Ranking, known: Known) -> dict[str, bytes]:
    """The numbers of :class:`_Stats` as a file."""
    taken = learner.taken(known)
    pairs = (
        taken.groupBy("one", "item")
        .agg(F.count(F.lit(1)).alias("times"), F.max(F.to_date("at")).alias("last"))
        .toArrow()
    )
    about = learner.about(known).select("item", "kind", F.col("price").cast("double").alias("price")).toArrow()
    places = learner.ones(known).select("one", "place").na.fill("", ["place"]).toArrow()
    ones, items = (pc.unique(pairs.column(name)).sort() for name in ("one", "item"))
    who, what = _rows(pairs, "one", ones), _rows(pairs, "item", items)
    times = pairs.column("times").to_numpy().astype(np.float64)
    kinds, price = _of_items(about, items)
    place = _of_ones(places, ones)
    popular = np.zeros((int(place.max(initial=0)) + 1, len(items)))
    np.add.at(popular, (place[who], what), times)
    shares = np.zeros((len(ones), int(kinds.max(initial=0)) + 1))
    np.add.at(shares, (who, kinds[what]), times)
    spent = np.bincount(who, weights=times * price[what], minlength=len(ones))
    count = np.bincount(who, weights=times, minlength=len(ones))
    age = np.full(len(items), np.inf)
    days = (np.datetime64(known.until) - pairs.column("last").to_numpy().astype("datetime64[D]")).astype(np.float64)
    np.minimum.at(age, what, days)
    stats = _Stats(
        place, popular, kinds, (shares / count[:, None]).astype(np.float32), price, np.maximum(spent / count, 1e-9), age
    )
    sink = BytesIO()
    np.savez(sink, **{name: getattr(stats, name) for name in _Stats.__dataclass_fields__})
    return {_STATS: sink.getvalue()}


def _rows(table: pa.Table, name: str, among: pa.Array) -> Places:
    return np.asarray(pc.index_in(table.column(name), among).to_numpy(), np.int64)


def _of_items(about: pa.Table, items: pa.Array) -> tuple[Places, Floats]:
    """The kind, as a number, and the price of each item; kind 0 and the mean price where nothing is said."""
    kinds = pc.fill_null(about.column("kind"), "")
    numbers = pc.index_in(kinds, pc.unique(kinds).sort()).to_numpy().astype(np.int64) + 1
    price = about.column("price").to_numpy().astype(np.float64)
    place = pc.fill_null(pc.index_in(items, about.column("item").combine_chunks()), -1).to_numpy()
    mean = float(np.nanmean(price)) if len(price) else 1.0
    said = place >= 0
    of_kind, of_price = np.zeros(len(items), np.int64), np.full(len(items), mean)
    of_kind[said], of_price[said] = numbers[place[said]], np.nan_to_num(price[place[said]], nan=mean)
    return of_kind, of_price


def _of_ones(places: pa.Table, ones: pa.Array) -> Places:
    """The place of each one, as a number; 0 where nothing is said."""
    names = pc.unique(places.column("place")).sort()
    numbers = pc.index_in(places.column("place"), names).to_numpy().astype(np.int64) + 1
    found = pc.fill_null(pc.index_in(ones, places.column("one").combine_chunks()), -1).to_numpy()
    result = np.zeros(len(ones), np.int64)
    result[found >= 0] = numbers[found[found >= 0]]
    return result


def _array(values: Sequence[int | str], kind: pa.DataType) -> pa.Array:
    """Keys from outside as the lake's; what is none of them becomes NULL, which is not known."""
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    fitting = [value if isinstance(value, str) == is_text else None for value in values]
    try:
        return pa.array(fitting, kind)
    except (pa.ArrowInvalid, OverflowError):
        return pa.array([None] * len(values), kind)
