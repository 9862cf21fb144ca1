"""What readers of relations to which rows only come have in common: there is no cursor and no key to ask by."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from datetime import timedelta

import pyarrow as pa

from lakehouse.errors import SourceError
from lakehouse.sources.reader import Bound, Part


class OnlyArrives(ABC):
    """The part of :class:`lakehouse.sources.reader.Feed` that is refused, or not asked."""

    @abstractmethod
    def no_cursor(self) -> SourceError:
        """Why this relation cannot be asked by a cursor or by keys, and what to write instead."""

    def read_keys(self, key: Sequence[str], bound: Bound | None) -> Sequence[Part]:
        del key, bound
        raise self.no_cursor()

    def look_of(
        self,
        keys: Iterable[pa.RecordBatch],
        rows: Iterable[pa.RecordBatch],
        columns: Sequence[str],
        bound: Bound | None,
    ) -> None:
        """Is not asked: what is there is looked at once for a session."""
        del keys, rows, columns, bound

    def floor(self, cursor: str) -> int | None:
        del cursor
        raise self.no_cursor()

    def slack(self, cursor: str) -> timedelta | int:
        del cursor
        raise self.no_cursor()

    def repetitive(self) -> tuple[str, ...] | None:
        return None
