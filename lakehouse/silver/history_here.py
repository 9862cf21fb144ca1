"""The versions of few keys, by the driver: what :func:`lakehouse.silver.history.versions` says of them, with Arrow and
without a Spark job. The same tests hold both to one answer."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise

import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.iceberg.keys import positions
from lakehouse.raw.columns import DELETE
from lakehouse.silver.books import Books
from lakehouse.silver.contract import FAILURES
from lakehouse.silver.decide import CONTENT

_MOMENT = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True)
class _Seen:
    """A row of a key as raw holds it; moments are microseconds since 1970 (UTC)."""

    place: int
    seen_at: int
    is_delete: bool
    cursor: int
    content: int


@dataclass(frozen=True)
class _Version:
    row: _Seen
    epoch: int
    begins: int

    @property
    def rank(self) -> tuple[int, int, int]:
        """Of the versions that begin together the highest counts."""
        return self.row.cursor, self.row.seen_at, self.row.content


@dataclass
class Versions:
    """Versions of rows: the place of each in what they were found in, and when it is valid."""

    places: list[int] = field(default_factory=list)
    valid_from: list[int] = field(default_factory=list)
    valid_to: list[int | None] = field(default_factory=list)

    def of(self, rows: pa.Table) -> pa.Table:
        """The versions among ``rows``, with the columns of a history."""
        until = pa.array(self.valid_to, pa.int64()).cast(_MOMENT)
        return (
            rows.take(pa.array(self.places, pa.int64()))
            .append_column("valid_from", pa.array(self.valid_from, pa.int64()).cast(_MOMENT))
            .append_column("valid_to", until)
            .append_column("is_current", pc.is_null(until))
        )


def versions_here(checked: pa.Table, key: Sequence[str], cursor: str) -> tuple[Versions, Books]:
    """The versions of all keys of ``checked``, and the books of its rows.

    Args:
        checked: all rows of raw of some keys: the key's columns, the cursor (a moment), ``_ingested_at``, ``_op``, the
            failures, and :data:`CONTENT`, a number that rows of the same content share.
    """
    rows, rejected = _usable(checked, key, cursor)
    found = Versions()
    for seen in rows.values():
        for row, begins, ends in _versions(seen):
            found.places.append(row.place)
            found.valid_from.append(begins)
            found.valid_to.append(ends)
    merged = len(found.places) + sum(row.is_delete for seen in rows.values() for row in seen)
    return found, Books(checked.num_rows, merged, checked.num_rows - merged - rejected, rejected)


def _usable(checked: pa.Table, key: Sequence[str], cursor: str) -> tuple[Mapping[int, list[_Seen]], int]:
    """The rows of each key that are good or a tombstone, and how many are neither."""
    columns = [
        positions(checked, checked, key),
        checked.column("_ingested_at").cast(pa.int64()),
        pc.equal(checked.column("_op"), DELETE),
        checked.column(cursor).cast(pa.int64()),
        checked.column(CONTENT),
        pc.greater(pc.list_value_length(checked.column(FAILURES)), 0),
    ]
    of_key: dict[int, list[_Seen]] = {}
    rejected = 0
    rows = zip(*(column.to_pylist() for column in columns), strict=True)
    for place, (number, seen_at, is_delete, value, content, fails) in enumerate(rows):
        if not is_delete and (fails or value is None):
            rejected += 1
            continue
        of_key.setdefault(number, []).append(_Seen(place, seen_at, is_delete, value or 0, content))
    return of_key, rejected


def _versions(seen: Iterable[_Seen]) -> Iterable[tuple[_Seen, int, int | None]]:
    """The versions of one key: the row, when it begins to be valid and when it ends (``None``: it is valid now)."""
    found: list[_Version] = []
    deleted_at: list[int] = []  # by epoch: a delete ends one
    latest: int | None = None
    for row in sorted(seen, key=lambda one: (one.seen_at, one.is_delete)):
        epoch = len(deleted_at)
        if row.is_delete:
            # A delete comes after all that was seen before it, whatever the two clocks say.
            ended = row.seen_at if latest is None else max(row.seen_at, latest + epoch + 1)
            deleted_at.append(ended)
            latest = row.seen_at if latest is None else max(latest, row.seen_at)
            continue
        begins = max([row.cursor, *deleted_at])
        found.append(_Version(row, epoch, begins))
        latest = row.cursor if latest is None else max(latest, row.cursor)
    at_once = groupby(sorted(found, key=lambda one: (one.begins, one.rank)), key=lambda one: one.begins)
    winners = sorted((list(versions)[-1] for _, versions in at_once), key=lambda one: (one.epoch, one.begins))
    for version, following in pairwise([*winners, None]):
        assert version is not None
        ends = deleted_at[version.epoch] if version.epoch < len(deleted_at) else None
        is_followed = following is not None and following.epoch == version.epoch
        yield version.row, version.begins, following.begins if following is not None and is_followed else ends
