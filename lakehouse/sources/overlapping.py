"""What readers and parts have in common whose source shows no one moment: reads of it overlap, and nothing is on its way."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.sources.reader import COVERED
from lakehouse.sources.relation import CursorKind, SourceRelation


class OverlappingReads:
    """The part of :class:`lakehouse.sources.reader.Reader` that is alike for all of them."""

    relation: SourceRelation

    def floor(self, cursor: str) -> int | None:
        """``None``: what is visible is all that there is."""
        del cursor
        return None

    def slack(self, cursor: str) -> timedelta | int:
        return 0 if self.relation.column(cursor).cursor is CursorKind.INTEGER else timedelta(0)

    def repetitive(self) -> tuple[str, ...] | None:
        return None


def uncovered(batch: pa.RecordBatch, key: Sequence[str]) -> pa.RecordBatch:
    """The ``key`` columns and :data:`COVERED`, false: another read shows another moment."""
    return batch.select(key).append_column(COVERED, pa.repeat(pa.scalar(False), batch.num_rows))


@dataclass(frozen=True)
class RowsOf:
    """Finds the rows with some keys.

    Attributes:
        keys: columns by lake names; ``None``: all rows.
    """

    keys: pa.Table | None

    @cached_property
    def _wanted(self) -> set[tuple[Any, ...]]:
        return set() if self.keys is None else {tuple(row.values()) for row in self.keys.to_pylist()}

    def among(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Those of ``batch`` that have one of the keys."""
        if self.keys is None:
            return batch
        names = self.keys.column_names
        first = batch.column(names[0])
        likely = batch.filter(pc.is_in(first, self.keys.column(names[0]).cast(first.type)))
        found = [tuple(row.values()) in self._wanted for row in likely.select(names).to_pylist()]
        return likely.filter(pa.array(found, pa.bool_()))
