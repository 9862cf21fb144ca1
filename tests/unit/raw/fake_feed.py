"""A feed in memory: boxes of rows, each of which may be written anew or taken away."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pyarrow as pa

from lakehouse.paths import ORDER, ORIGIN, VERSION
from lakehouse.sources.files.position import Position, news
from lakehouse.sources.files.store import Listed
from lakehouse.sources.reader import MISFITS, Arrived, Held, Wanted
from lakehouse.sources.relation import SourceColumn, SourceRelation
from tests.unit.raw.fake_source import FakePart, FakeSource

_COLUMNS = {"id": "bigint", "v": "string", ORIGIN: "string", VERSION: "string", ORDER: "bigint"}


@dataclass
class FakeFeed(FakeSource):
    """See this module.

    Attributes:
        boxes: by name, their version and their rows: id and ``v``, where ``None`` says that the id is gone.
        brings_deletes: see :class:`lakehouse.sources.reader.Feed`.
    """

    boxes: dict[str, tuple[int, dict[int, str | None]]] = field(default_factory=dict)
    brings_deletes: bool = False
    _kinds: ClassVar[dict[str, pa.DataType]] = {"bigint": pa.int64(), "string": pa.string()}

    def fill(self, name: str, **rows: str | None) -> None:
        """A box with such rows; ``r1="a"`` is the row of id 1."""
        version = self.boxes[name][0] + 1 if name in self.boxes else 1
        self.boxes[name] = (version, {int(key[1:]): value for key, value in rows.items()})

    @contextmanager
    def reader(self, wanted: Wanted) -> Iterator["FakeFeed"]:
        del wanted
        yield self

    @property
    def relation(self) -> SourceRelation:
        return SourceRelation(
            "boxes", tuple(SourceColumn(name, name, kind, kind) for name, kind in _COLUMNS.items()), ("id",)
        )

    def arrived(self, columns: Sequence[str], position: str | None, held: Held, *, anew: bool) -> Arrived:
        listed = [Listed(name, version, place) for place, (name, (version, _)) in enumerate(self.boxes.items())]
        before = Position.model_validate_json(position) if position else None
        found = news(before, listed, held, anew=anew)
        first = found.position.numbered - len(found.new)
        parts = [self._part(file, first + number, columns) for number, file in enumerate(found.new)]
        return Arrived(
            parts, found.position.model_dump_json(), len(found.new), "boxes", 10, found.replaced, found.vanished
        )

    def _part(self, file: Listed, number: int, columns: Sequence[str]) -> FakePart:
        rows = self.boxes[file.name][1]
        same = {ORIGIN: file.name, VERSION: file.version}
        made: list[dict[str, Any]] = [
            {"id": key, "v": value, **same, ORDER: number * 1000 + place, MISFITS: None}
            | ({"_op": "upsert" if value is not None else "delete"} if self.brings_deletes else {})
            for place, (key, value) in enumerate(rows.items())
        ]
        kinds = [(name, self._kinds[_COLUMNS[name]]) for name in columns]
        more = [(MISFITS, pa.string()), *([("_op", pa.string())] if self.brings_deletes else [])]
        return FakePart(pa.Table.from_pylist(made, pa.schema([*kinds, *more])), self.error)
