"""Factors of who took what: implicit alternating least squares, by Spark's MLlib.

Source: Hu, Koren and Volinsky, "Collaborative filtering for implicit feedback datasets", 2008.
"""

from dataclasses import dataclass
from io import BytesIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lakehouse.spark import rows_to_frame

#: Up to so many pairs one task learns, which adds up in one order: the same pairs give the same factors to the last bit.
_ONE_TASK = 5_000_000
Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Factors:
    """A vector for each key; ``keys`` are sorted.

    Attributes:
        keys: of any type, n of them.
        vectors: n rows of floats.
    """

    keys: pa.Array
    vectors: Vectors

    def of(self, keys: pa.Array) -> NDArray[np.int64]:
        """The row of each key; -1 where it has none."""
        found = pc.fill_null(pc.index_in(keys.cast(self.keys.type), self.keys), -1)
        return np.asarray(found.to_numpy(zero_copy_only=False), np.int64)

    def as_bytes(self) -> bytes:
        """As a file of Arrow: the columns ``key`` and ``vector``."""
        width = self.vectors.shape[1] if self.vectors.ndim == 2 else 1
        flat = pa.array(np.ascontiguousarray(self.vectors, np.float32).ravel(), pa.float32())
        rows = pa.table({"key": self.keys, "vector": pa.FixedSizeListArray.from_arrays(flat, width)})
        sink = BytesIO()
        with pa.ipc.new_file(sink, rows.schema) as writer:
            writer.write_table(rows)
        return sink.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> "Factors":
        """The inverse of :meth:`as_bytes`."""
        rows = pa.ipc.open_file(content).read_all().combine_chunks()
        vectors = rows.column("vector").combine_chunks()
        flat = vectors.flatten().to_numpy(zero_copy_only=False)
        return cls(rows.column("key").combine_chunks(), flat.reshape(len(rows), -1).astype(np.float32))


def counted(taken: DataFrame) -> pa.Table:
    """How often each ``one`` took each ``item``: what :func:`learn` learns from."""
    return taken.groupBy("one", "item").agg(F.count(F.lit(1)).alias("times")).toArrow()


def learn(
    spark: SparkSession, pairs: pa.Table, *, rank: int, alpha: float, decay: float, rounds: int, seed: int
) -> tuple[Factors, Factors]:
    """The factors of both sides.

    Args:
        pairs: ``one``, ``item`` and ``times`` (how often, above 0), a row for each pair.
        rank: the length of a vector.
        alpha: how much surer a pair is for each time.
        decay: of regularisation.
    """
    from pyspark.ml.recommendation import ALS  # noqa: PLC0415  (it brings in numpy's part of Spark)

    ordered = pairs.sort_by([("one", "ascending"), ("item", "ascending")]).combine_chunks()
    sides = [ordered.column(name).combine_chunks().dictionary_encode() for name in ("one", "item")]
    numbered = pa.table(
        {"one": sides[0].indices, "item": sides[1].indices, "times": ordered.column("times").cast(pa.float32())}
    )
    frame = rows_to_frame(spark, numbered)
    blocks = 1 if len(numbered) <= _ONE_TASK else 8
    als = ALS(
        rank=rank, maxIter=rounds, regParam=decay, alpha=alpha, implicitPrefs=True, seed=seed, userCol="one", itemCol="item",
        ratingCol="times", numUserBlocks=blocks, numItemBlocks=blocks, intermediateStorageLevel="MEMORY_ONLY",
    )  # fmt: skip
    model = als.fit(frame.coalesce(1) if blocks == 1 else frame)
    one, item = (
        _factors(side.dictionary, rows.toArrow())
        for side, rows in zip(sides, (model.userFactors, model.itemFactors), strict=True)
    )
    return one, item


def _factors(keys: pa.Array, rows: pa.Table) -> Factors:
    rows = rows.sort_by("id").combine_chunks()
    flat = rows.column("features").combine_chunks().flatten().to_numpy(zero_copy_only=False)
    named = keys.take(rows.column("id").combine_chunks())
    order = pc.sort_indices(named)
    vectors = flat.reshape(len(rows), -1).astype(np.float32)[order.to_numpy()]
    return Factors(named.take(order), vectors)
