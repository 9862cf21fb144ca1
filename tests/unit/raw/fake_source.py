"""A source that a test plays: its rows are a dictionary, and it shows one moment of them or not, as it is told."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from lakehouse.iceberg.arrow_types import arrow_type
from lakehouse.sources.reader import COVERED, MISFITS, Bound, Horizon, Look, Part, Wanted
from lakehouse.sources.relation import CursorKind, SourceColumn, SourceRelation

START = datetime(2026, 1, 1, tzinfo=UTC)
Row = dict[str, Any]


def minute(number: int) -> datetime:
    return START + timedelta(minutes=number)


@dataclass(frozen=True)
class FakePart:
    """A part that is known already; ``error`` comes after its rows."""

    rows: pa.Table
    error: Exception | None = None

    def batches(self) -> Iterator[pa.RecordBatch]:
        yield from self.rows.to_batches()
        if self.error is not None:
            raise self.error


@dataclass
class FakeSource:
    """A session with one relation, and its reader.

    Attributes:
        rows: by id, of the columns ``id``, ``at`` (its cursor, if it is asked for one) and those of ``more``.
        one_moment: see :class:`lakehouse.sources.reader.Session`.
        error: breaks each read of rows off.
        reads: what was asked for, in order: a bound, or how many keys, or nothing for all.
    """

    one_moment: bool = True
    rows: dict[int, Row] = field(default_factory=dict)
    more: dict[str, str] = field(default_factory=lambda: {"v": "string"})
    error: Exception | None = None
    reads: list[Bound | int | None] = field(default_factory=list)
    taken_at: datetime = START
    parallelism: int = 2
    reads_in_threads: bool = True
    options: Mapping[str, str] = field(default_factory=lambda: {"timezone": "UTC"})

    def put(self, number: int, at: int, **values: Any) -> None:
        """The row of that id, stamped with that minute."""
        self.rows[number] = {"id": number, "at": minute(at), **{name: values.get(name) for name in self.more}}

    # As a session

    @property
    def horizon(self) -> Horizon:
        return Horizon(self.taken_at, self.taken_at, has_transactions=self.one_moment)

    def relations(self, schema: str | None = None) -> list[str]:
        return ["public.t"]

    def describe(self, relation: str) -> SourceRelation:
        return self.relation

    @contextmanager
    def reader(self, wanted: Wanted) -> Iterator["FakeSource"]:
        del wanted
        yield self

    # As a reader

    @property
    def relation(self) -> SourceRelation:
        own = (
            SourceColumn("id", "id", "bigint", "bigint", False, CursorKind.INTEGER, "1"),
            SourceColumn("at", "at", "timestamptz", "timestamp", False, CursorKind.MOMENT, "2"),
        )
        more = (SourceColumn(name, name, kind, kind, identity=name) for name, kind in self.more.items())
        return SourceRelation("public.t", (*own, *more), ("id",))

    def floor(self, cursor: str) -> int | None:
        return max(self.rows, default=None)

    def slack(self, cursor: str) -> timedelta | int:
        return 0 if cursor == "id" else timedelta(0)

    def repetitive(self) -> tuple[str, ...] | None:
        return None

    def look(self, columns: Sequence[str], bound: Bound | None, *, count_keys: bool) -> Look | None:
        return _look(self.rows.values(), columns, bound)

    def look_of(
        self,
        keys: Iterable[pa.RecordBatch],
        rows: Iterable[pa.RecordBatch],
        columns: Sequence[str],
        bound: Bound | None,
    ) -> Look | None:
        content = [row for batch in rows for row in batch.to_pylist()]
        return Look(_look(content, columns, bound).fingerprint, sum(batch.num_rows for batch in keys))

    def read(self, columns: Sequence[str], bound: Bound | None = None, keys: pa.Table | None = None) -> Sequence[Part]:
        self.reads.append(bound if keys is None else keys.num_rows)
        wanted = None if keys is None else set(keys.column("id").to_pylist())
        found = [row for row in self.rows.values() if _within(row, bound) and (wanted is None or row["id"] in wanted)]
        kinds = {column.name: column.lake_type for column in self.relation.columns}
        schema = pa.schema([*((name, arrow_type(kinds[name])) for name in columns), (MISFITS, pa.string())])
        content = [{name: row.get(name) for name in schema.names} for row in found]
        parts = (content[::2], content[1::2])
        return [FakePart(pa.Table.from_pylist(part, schema=schema), self.error) for part in parts]

    def read_keys(self, key: Sequence[str], bound: Bound | None) -> Sequence[Part]:
        schema = pa.schema([("id", pa.int64()), (COVERED, pa.bool_())])
        covered = [{"id": row["id"], COVERED: self.one_moment and _within(row, bound)} for row in self.rows.values()]
        return [FakePart(pa.Table.from_pylist(covered, schema=schema))]


def _within(row: Row, bound: Bound | None) -> bool:
    if bound is None:
        return True
    value = row[bound.cursor]
    above = bound.lower is None or value >= bound.lower
    return above and (bound.upper is None or value < bound.upper)


def _look(rows: Iterable[Row], columns: Sequence[str], bound: Bound | None) -> Look:
    every = list(rows)
    within = sorted([str(row[name]) for name in columns] for row in every if _within(row, bound))
    return Look(str(within), len(every))
