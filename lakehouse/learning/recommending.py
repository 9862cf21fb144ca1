"""What to recommend: to each one the items that those of like taste took, and what is popular to who has taken nothing yet."""

from collections.abc import Iterator
from datetime import date
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.errors import DataError
from lakehouse.learning.factors import Factors, counted, learn
from lakehouse.learning.measures import ndcg, with_interval
from lakehouse.registry.known import Known
from lakehouse.registry.models import Judged, Measure, Trained
from lakehouse.spark import rows_to_frame

_AT_ONCE = 2_000
Places = NDArray[np.int64]


class Recommending:
    """Learns what to recommend. A subclass says who took what, by :meth:`taken`, and who there is, by :meth:`ones`.

    Attributes:
        one, item: the names of their columns.
        most: how many are recommended to each one.
        leave_out_taken: whether what one took already is not recommended.
    """

    one: ClassVar[str] = "customer_id"
    item: ClassVar[str] = "product_id"
    most: ClassVar[int] = 20
    leave_out_taken: ClassVar[bool] = True
    rank: ClassVar[int] = 32
    alpha: ClassVar[float] = 20.0
    decay: ClassVar[float] = 0.1
    rounds: ClassVar[int] = 10

    def taken(self, known: Known) -> DataFrame:
        """Who took what and when: ``one``, ``item``, ``at``; not NULL."""
        raise NotImplementedError

    def ones(self, known: Known) -> DataFrame:
        """All to whom something is recommended: ``one``, and ``place`` (text), within which popularity counts."""
        raise NotImplementedError

    def train(self, known: Known, champion: Trained | None, seed: int) -> Trained:
        """Factors of those who took something and of items, and the most popular items of each place."""
        del champion
        taken = self.taken(known)
        pairs = counted(taken)
        if not len(pairs):
            raise DataError(
                f"learning what to recommend: nobody took anything before {known.until}; expected something to learn from. "
                "The last scores stay.",
                remedy="Look at the model's inputs: are they empty, or do they begin later?",
            )
        ones, items = learn(known.spark, pairs, rank=self.rank, alpha=self.alpha, decay=self.decay,
                            rounds=self.rounds, seed=seed)  # fmt: skip
        return {"ones.arrow": ones.as_bytes(), "items.arrow": items.as_bytes()}

    def judge(self, trained: Trained, known: Known, since: date, seed: int) -> Judged:
        """Those who took something new after ``since``, beside what is popular where they are."""
        before = known.at(since)
        scene = Scene.of(self, trained, before)
        asked, wanted = wanted_of(self.taken_since(known, before, new=self.leave_out_taken), scene)
        if not len(asked):
            raise DataError(
                f"judging what was recommended since {since}: nobody known took something new; expected somebody.",
                remedy="Wait for more days, or choose another holdout.",
            )
        items = len(scene.items.keys)
        return Judged(
            measures_of(list(scene.best(asked, self.most)), wanted, items, self.most, seed),
            measures_of(list(scene.popular(asked, self.most)), wanted, items, self.most, seed),
            len(asked),
        )

    def score(self, trained: Trained, known: Known) -> DataFrame:
        """``one``, ``rank`` (int, from 1), ``item``, ``reason`` (text: ``taste`` or ``popular``)."""
        scene = Scene.of(self, trained, known)
        known_ones, cold = np.flatnonzero(scene.rows_of_ones >= 0), np.flatnonzero(scene.rows_of_ones < 0)
        asked = np.concatenate([known_ones, cold])
        chosen = [*scene.best(known_ones, self.most), *scene.popular(cold, self.most)]
        counts = [len(row) for row in chosen]
        scored = pa.table(
            {
                self.one: scene.ones.take(pa.array(np.repeat(asked, counts))),
                "rank": pa.array([place + 1 for row in chosen for place in range(len(row))], pa.int32()),
                self.item: scene.items.keys.take(pa.array([place for row in chosen for place in row], pa.int64())),
                "reason": np.where(np.repeat(scene.rows_of_ones[asked] >= 0, counts), "taste", "popular"),
            }
        )
        return rows_to_frame(known.spark, scored)

    def taken_since(self, known: Known, before: Known, *, new: bool) -> pa.Table:
        """``one`` and ``item`` of what was taken after ``before``, each pair once.

        Args:
            new: only what one had not taken before.
        """
        after = self.taken(known).where(F.col("at") >= F.lit(before.until)).select("one", "item").distinct()
        mine = self.taken(before).select("one", "item").distinct()
        return (after.join(mine, on=["one", "item"], how="left_anti") if new else after).toArrow()


class Scene:
    """Who there is, what each took, and what is popular where: as numbers of rows.

    Attributes:
        ones: all to whom something may be recommended, sorted.
        rows_of_ones: of each one, its row among the factors; -1 where it has none.
    """

    def __init__(self, learner: Recommending, trained: Trained, ones: pa.Table, taken: pa.Table) -> None:
        self._learner = learner
        self.ones: pa.Array = ones.column("one").combine_chunks()
        self.items = Factors.from_bytes(trained["items.arrow"])
        self._factors = Factors.from_bytes(trained["ones.arrow"])
        self.rows_of_ones = self._factors.of(self.ones)
        who = pc.fill_null(pc.index_in(taken.column("one"), self.ones), -1).to_numpy()
        what = self.items.of(taken.column("item").combine_chunks())
        times = taken.column("times").to_numpy()
        here = (who >= 0) & (what >= 0)
        order = np.argsort(who[here], kind="stable")
        self._what = what[here][order]
        self._starts = np.searchsorted(who[here][order], np.arange(len(self.ones) + 1))
        places = ones.column("place").combine_chunks().dictionary_encode()
        self._place: Places = np.asarray(places.indices.to_numpy(), np.int64)
        counts = np.zeros((len(places.dictionary), len(self.items.keys)))
        np.add.at(counts, (self._place[who[here]], what[here]), times[here])
        # of items that are equally popular in a place the one that is more so everywhere comes first
        overall = counts.sum(axis=0)
        self._popular = np.argsort(-(counts + overall / (overall.sum() + 1)), axis=1, kind="stable")

    @classmethod
    def of(cls, learner: Recommending, trained: Trained, known: Known) -> "Scene":
        ones = learner.ones(known).select("one", "place").na.fill("", ["place"]).toArrow()
        return cls(learner, trained, ones.sort_by("one").combine_chunks(), counted(learner.taken(known)))

    def took(self, one: int) -> Places:
        """The items that ``one`` took, as rows of :attr:`items`."""
        found: Places = self._what[self._starts[one] : self._starts[one + 1]]
        return found

    def best(self, asked: Places, most: int) -> Iterator[list[int]]:
        """For each one that is asked about, the items of its taste, best first; none where it has no factors."""
        for begin in range(0, len(asked), _AT_ONCE):
            some = asked[begin : begin + _AT_ONCE]
            rows = self.rows_of_ones[some]
            scores = self._factors.vectors[np.maximum(rows, 0)] @ self.items.vectors.T
            for place, one in enumerate(some):
                yield self._top(scores[place], int(one), most) if rows[place] >= 0 else []

    def popular(self, asked: Places, most: int) -> Iterator[list[int]]:
        """For each one that is asked about, the most popular items where it is."""
        for one in asked:
            out = set(self.took(int(one)).tolist()) if self._learner.leave_out_taken else set()
            first = self._popular[self._place[one], : most + len(out)]
            yield [int(item) for item in first if int(item) not in out][:most]

    def _top(self, scores: NDArray[np.float32], one: int, most: int) -> list[int]:
        most = min(most, len(scores))
        if self._learner.leave_out_taken:
            scores = scores.copy()
            scores[self.took(one)] = -np.inf
        first = np.argpartition(-scores, most - 1)[:most]
        ordered = first[np.lexsort((first, -scores[first]))]
        return [int(item) for item in ordered if np.isfinite(scores[item])]


def wanted_of(new: pa.Table, scene: Scene) -> tuple[Places, list[set[int]]]:
    """Those with factors who took something new that has some, and what."""
    who = pc.fill_null(pc.index_in(new.column("one"), scene.ones), -1).to_numpy()
    what = scene.items.of(new.column("item").combine_chunks())
    found: dict[int, set[int]] = {}
    for one, item in zip(who.tolist(), what.tolist(), strict=True):
        if one >= 0 and item >= 0 and scene.rows_of_ones[one] >= 0:
            found.setdefault(one, set()).add(item)
    asked = sorted(found)
    return np.array(asked, np.int64), [found[one] for one in asked]


def measures_of(lists: list[list[int]], wanted: list[set[int]], items: int, most: int, seed: int) -> dict[str, Measure]:
    """How well lists of items (best first, of so many ``items`` in all) hold what was wanted."""
    recalls = np.array([len(set(row) & items) / len(items) for row, items in zip(lists, wanted, strict=True)])
    gains = np.array(
        [ndcg([item in items for item in row], len(items), most) for row, items in zip(lists, wanted, strict=True)]
    )
    coverage = len({item for row in lists for item in row}) / items
    return {
        f"recall_at_{most}": with_interval(len(lists), lambda rows: float(recalls[rows].mean()), seed),
        f"ndcg_at_{most}": with_interval(len(lists), lambda rows: float(gains[rows].mean()), seed),
        "coverage": Measure(coverage),
    }
