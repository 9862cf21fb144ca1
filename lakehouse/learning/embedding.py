"""Vectors of items: from what is taken together, and from what is written about them. What is alike points the same way.

The vectors of texts come from a model whose weights are in its package: nothing is fetched.
"""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.errors import ConfigurationError, DataError
from lakehouse.learning.factors import Factors, Vectors, counted, learn
from lakehouse.learning.measures import Floats, with_interval
from lakehouse.registry.known import Known
from lakehouse.registry.models import Judged, Trained
from lakehouse.spark import rows_to_frame

_FILE, _MOST, _BASKETS = "items.arrow", 20, 5_000


class Embedding:
    """Learns vectors of items. A subclass says what was taken together (:meth:`baskets`) and what is written (:meth:`texts`).

    Attributes:
        item: the name of the column of items.
    """

    item: ClassVar[str] = "product_id"
    rank: ClassVar[int] = 32
    alpha: ClassVar[float] = 20.0
    decay: ClassVar[float] = 0.1
    rounds: ClassVar[int] = 10

    def baskets(self, known: Known) -> DataFrame:
        """What was taken together: ``basket``, ``item``, ``at``; not NULL."""
        raise NotImplementedError

    def texts(self, known: Known) -> DataFrame:
        """What is written of each item: ``item``, ``text``."""
        raise NotImplementedError

    def train(self, known: Known, champion: Trained | None, seed: int) -> Trained:
        """The vectors of items, as the factors by which baskets hold them."""
        del champion
        baskets = self.baskets(known)
        pairs = counted(baskets.withColumnRenamed("basket", "one"))
        if not len(pairs):
            raise DataError(
                f"learning vectors: nothing was taken before {known.until}; expected baskets. The last scores stay.",
                remedy="Look at the model's inputs: are they empty, or do they begin later?",
            )
        _, items = learn(known.spark, pairs, rank=self.rank, alpha=self.alpha, decay=self.decay,
                         rounds=self.rounds, seed=seed)  # fmt: skip
        return {_FILE: Factors(items.keys, _of_length_one(items.vectors)).as_bytes()}

    def judge(self, trained: Trained, known: Known, since: date, seed: int) -> Judged:
        """Baskets of the holdout: is what else was taken among the nearest of each item? Beside what is popular."""
        items = Factors.from_bytes(trained[_FILE])
        baskets = list(self._baskets_since(known, since, items))
        if not baskets:
            raise DataError(
                f"judging vectors since {since}: no basket holds two items that are known; expected some.",
                remedy="Wait for more days, or choose another holdout.",
            )
        counts = self.baskets(known.at(since)).groupBy("item").agg(F.count(F.lit(1)).alias("times")).toArrow()
        popularity = np.zeros(len(items.keys))
        places = items.of(counts.column("item").combine_chunks())
        popularity[places[places >= 0]] = counts.column("times").to_numpy()[places >= 0]
        popular = np.argsort(-popularity, kind="stable")
        first = popular[: _MOST + 1].tolist()
        mine = np.array([_recall(basket, lambda item: _nearest(items.vectors, item)) for basket in baskets])
        plain = np.array(
            [_recall(basket, lambda item: [at for at in first if at != item][:_MOST]) for basket in baskets]
        )
        return Judged(
            {f"recall_at_{_MOST}": with_interval(len(mine), lambda rows: float(mine[rows].mean()), seed)},
            {f"recall_at_{_MOST}": with_interval(len(plain), lambda rows: float(plain[rows].mean()), seed)},
            len(baskets),
        )

    def score(self, trained: Trained, known: Known) -> DataFrame:
        """``item``, ``kind`` (text: ``baskets`` or ``texts``), ``vector`` (array of floats, of length 1)."""
        by_baskets = Factors.from_bytes(trained[_FILE])
        written = self.texts(known).select("item", "text").where("item IS NOT NULL").toArrow().sort_by("item")
        by_texts = _of_texts([text or "" for text in written.column("text").to_pylist()])
        parts = [
            _rows(self.item, by_baskets.keys, "baskets", by_baskets.vectors),
            _rows(self.item, written.column("item").combine_chunks().cast(by_baskets.keys.type), "texts", by_texts),
        ]
        return rows_to_frame(known.spark, pa.concat_tables(parts))

    def _baskets_since(self, known: Known, since: date, items: Factors) -> Iterator[list[int]]:
        rows = self.baskets(known).where(F.col("at") >= F.lit(since)).select("basket", "item").distinct()
        found = rows.toArrow().sort_by([("basket", "ascending"), ("item", "ascending")])
        held: dict[Any, list[int]] = {}
        places = items.of(found.column("item").combine_chunks()).tolist()
        for basket, place in zip(found.column("basket").to_pylist(), places, strict=True):
            if place >= 0:
                held.setdefault(basket, []).append(place)
        several = [basket for basket in held.values() if len(basket) > 1]
        yield from several[:_BASKETS]


def _recall(basket: list[int], told: Callable[[int], list[int]]) -> float:
    """Of what else a basket holds, how much is among what is told of each of its items; the mean over the items."""
    return float(np.mean([len(set(told(item)) & set(basket)) / (len(basket) - 1) for item in basket]))


def _nearest(vectors: Vectors, item: int) -> list[int]:
    nearness: Floats = np.array(vectors @ vectors[item], np.float64)
    nearness[item] = -np.inf
    return [int(place) for place in np.argpartition(-nearness, min(_MOST, len(nearness) - 1))[:_MOST]]


def _of_length_one(vectors: Vectors) -> Vectors:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0), np.float32)


def _of_texts(texts: list[str]) -> Vectors:
    try:
        import wordllama  # noqa: PLC0415  (an extra)
    except ImportError:
        raise ConfigurationError(
            "vectors of texts: wordllama is not installed; expected the extra `models`.",
            remedy="Run `pip install 'lakehouse[models]'`.",
        ) from None
    weights = Path(str(wordllama.__file__)).parent  # where it has them; it would fetch its tokenizer otherwise
    model = wordllama.WordLlama.load(cache_dir=weights, disable_download=True)
    return _of_length_one(np.asarray(model.embed(texts), np.float32)) if texts else np.zeros((0, 1), np.float32)


def _rows(name: str, keys: pa.Array, kind: str, vectors: Vectors) -> pa.Table:
    flat = pa.array(np.ascontiguousarray(vectors).ravel(), pa.float32())
    ends = pa.array(np.arange(len(keys) + 1) * (vectors.shape[1] if len(keys) else 0), pa.int32())
    listed = pa.ListArray.from_arrays(ends, flat)
    return pa.table({name: keys, "kind": pa.repeat(pa.scalar(kind), len(keys)), "vector": listed})
