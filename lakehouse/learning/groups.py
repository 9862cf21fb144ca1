"""Groups of alike ones: k-means on standardised behaviour, with labels that stay the same from run to run.

k is the number of groups with the best silhouette; of new centroids each takes the label of the nearest one of the
champion, so that a group keeps its number while its members come and go. Everything is computed on the driver, of rows in one
order, so that the same rows give the same groups.

Sources: k-means++ (Arthur and Vassilvitskii, 2007), by SciPy; the silhouette (Rousseeuw, 1987), on a sample.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame

from lakehouse.errors import DataError
from lakehouse.learning.measures import Floats, with_interval
from lakehouse.registry.known import Known
from lakehouse.registry.models import Judged, Measure, Trained
from lakehouse.spark import rows_to_frame

_STARTS, _STEPS, _SAMPLE = 8, 50, 2_000
Labels = NDArray[np.int64]


class Groups:
    """Learns groups of those that behave alike. A subclass says what they do, by :meth:`behaviour`.

    Attributes:
        one: the name of the column of who is grouped.
        features: the columns of behaviour that count, by what a high value is called in a group's profile, and a low one.
        skewed: those of which the logarithm counts: few have much.
        least, most: how many groups there may be.
    """

    one: ClassVar[str] = "customer_id"
    features: ClassVar[Mapping[str, tuple[str, str]]] = {}
    skewed: ClassVar[Sequence[str]] = ()
    least: ClassVar[int] = 3
    most: ClassVar[int] = 7
    #: The silhouette that groups must have to be worth a name; what the gate's measure is compared with.
    floor: ClassVar[float] = 0.15

    def behaviour(self, known: Known) -> DataFrame:
        """``one`` and the features (numbers, not NULL), a row for each one."""
        raise NotImplementedError

    def train(self, known: Known, champion: Trained | None, seed: int) -> Trained:
        """Centroids of standardised behaviour, and the profile of each."""
        values = self._values(self._rows(known))
        if len(values) < 10 * self.most:
            raise DataError(
                f"learning groups: {len(values):,} are known before {known.until}; expected at least {10 * self.most}. The "
                "last scores stay.",
                remedy="Look at the model's inputs: are they empty, or do they begin later?",
            )
        mean, spread = values.mean(axis=0), values.std(axis=0)
        spread[spread == 0] = 1
        scaled = (values - mean) / spread
        chance = np.random.default_rng(seed)
        sample = scaled[chance.permutation(len(scaled))[:_SAMPLE]]
        tried = [_centroids(scaled, k, chance) for k in range(self.least, self.most + 1)]
        best = max(tried, key=lambda centroids: silhouette(sample, _nearest(sample, centroids)))
        order = self._order(best * spread + mean, champion)
        about = {"features": list(self.features), "mean": mean.tolist(), "spread": spread.tolist(),
                 "centroids": best[order].tolist()}  # fmt: skip
        return {"groups.json": json.dumps(about).encode()}

    def judge(self, trained: Trained, known: Known, since: date, seed: int) -> Judged:
        """How well the groups hold the behaviour of the end of the holdout, which training did not see."""
        del since
        scaled, centroids = self._scaled(trained, self._rows(known))
        chance = np.random.default_rng(seed)
        sample = scaled[chance.permutation(len(scaled))[:_SAMPLE]]
        labels = _nearest(sample, centroids)
        widths = silhouettes(sample, labels)
        measure = with_interval(len(widths), lambda rows: float(widths[rows].mean()), seed)
        shares = np.bincount(_nearest(scaled, centroids), minlength=len(centroids)) / len(scaled)
        more = {"groups": Measure(float(len(centroids))), "smallest_share": Measure(float(shares.min()))}
        return Judged({"silhouette": measure, **more}, {"silhouette": Measure(self.floor)}, len(scaled))

    def score(self, trained: Trained, known: Known) -> DataFrame:
        """``one``, ``cluster`` (int, from 1), ``profile`` (text), ``distance`` (to the middle of the group, in deviations)."""
        rows = self._rows(known)
        scaled, centroids = self._scaled(trained, rows)
        labels = _nearest(scaled, centroids)
        profiles = [self._profile(centroid) for centroid in centroids]
        distance = np.sqrt(((scaled - centroids[labels]) ** 2).sum(axis=1))
        scored = pa.table(
            {
                self.one: rows.column("one"),
                "cluster": pa.array(labels + 1, pa.int32()),
                "profile": [profiles[label] for label in labels],
                "distance": distance,
            }
        )
        return rows_to_frame(known.spark, scored)

    def _rows(self, known: Known) -> pa.Table:
        return self.behaviour(known).select("one", *self.features).toArrow().sort_by("one").combine_chunks()

    def _values(self, rows: pa.Table) -> Floats:
        columns = [rows.column(name).cast(pa.float64()).to_numpy(zero_copy_only=False) for name in self.features]
        logarithms = [np.log1p(np.maximum(column, 0)) if name in self.skewed else column
                      for name, column in zip(self.features, columns, strict=True)]  # fmt: skip
        return np.column_stack(logarithms)

    def _scaled(self, trained: Trained, rows: pa.Table) -> tuple[Floats, Floats]:
        about = json.loads(trained["groups.json"]) if "groups.json" in trained else {}
        if about.get("features") != list(self.features):
            raise DataError(
                f"asking for groups: the model was trained on {about.get('features') or 'nobody knows what'}; expected "
                f"{', '.join(self.features)}.",
                remedy="Train it anew: its code is another one now.",
            )
        scaled = (self._values(rows) - np.array(about["mean"])) / np.array(about["spread"])
        return scaled, np.array(about["centroids"])

    def _order(self, centroids: Floats, champion: Trained | None) -> list[int]:
        """The order in which new centroids get their numbers: each that of the champion's nearest, as far as that goes."""
        from scipy.optimize import linear_sum_assignment  # noqa: PLC0415  (an extra)

        about = json.loads(champion["groups.json"]) if champion and "groups.json" in champion else {}
        if about.get("features") != list(self.features) or len(about["centroids"]) != len(centroids):
            return [int(place) for place in np.argsort(-centroids[:, 0], kind="stable")]
        mean, spread = np.array(about["mean"]), np.array(about["spread"])
        apart = _apart((centroids - mean) / spread, np.array(about["centroids"]))
        news, olds = linear_sum_assignment(apart)
        return [int(new) for _, new in sorted(zip(olds, news, strict=True))]

    def _profile(self, centroid: Floats) -> str:
        """What stands out in a group: the features that lie half a deviation from the mean of all, the farthest first."""
        names = list(self.features.values())
        far = [place for place in np.argsort(-np.abs(centroid), kind="stable") if abs(centroid[place]) >= 0.5]
        return ", ".join(names[place][0] if centroid[place] > 0 else names[place][1] for place in far[:3]) or "average"


def silhouettes(values: Floats, labels: Labels) -> Floats:
    """Of each row: how much nearer its own group is than the nearest other one, in [-1, 1]; 0 alone in its group."""
    groups = np.unique(labels)
    members = np.stack([labels == group for group in groups], axis=1).astype(np.float64)
    totals, counts = _apart(values, values) @ members, members.sum(axis=0)
    own, rows = np.searchsorted(groups, labels), np.arange(len(values))
    inside = totals[rows, own] / np.maximum(counts[own] - 1, 1)
    means = totals / counts
    means[rows, own] = np.inf
    outside = means.min(axis=1) if len(groups) > 1 else np.zeros(len(values))
    wide = np.maximum(inside, outside)
    found = np.divide(outside - inside, wide, out=np.zeros(len(values)), where=wide > 0)
    return np.where(counts[own] > 1, found, 0.0)


def silhouette(values: Floats, labels: Labels) -> float:
    """The mean of :func:`silhouettes`."""
    return float(silhouettes(values, labels).mean())


def _centroids(values: Floats, k: int, chance: np.random.Generator) -> Floats:
    """The best of some runs of k-means."""
    from scipy.cluster.vq import kmeans2  # noqa: PLC0415  (an extra)

    runs = [kmeans2(values, k, iter=_STEPS, minit="++", missing="raise", rng=chance)[0] for _ in range(_STARTS)]
    return min(runs, key=lambda centroids: float((_apart(values, centroids).min(axis=1) ** 2).sum()))


def _nearest(values: Floats, centroids: Floats) -> Labels:
    return np.asarray(_apart(values, centroids).argmin(axis=1), np.int64)


def _apart(values: Floats, others: Floats) -> Floats:
    """The distance of each row to each of the others."""
    from scipy.spatial.distance import cdist  # noqa: PLC0415  (an extra)

    return np.asarray(cdist(values, others), np.float64)
