"""Records of an API as Arrow: fields as the text that they are written as, the cursor typed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from lakehouse.sources.json_objects import NoObjectError, as_written, decoded
from lakehouse.sources.reader import MISFITS
from lakehouse.sources.records import Fields, Path, Records, has, inside
from lakehouse.sources.relation import CursorKind
from lakehouse.sources.rest import cursors

#: A read of fewer records says nothing about which fields there are.
_LEAST = 20


@dataclass(frozen=True)
class Shape:
    """What columns a record becomes.

    Attributes:
        names: of the fields that are read, lake name to name in a record.
        key: lake names; those of them whose texts tell a record apart.
        cursor: the lake name of the column that is typed; the others are text.
        kind: of the cursor.
    """

    names: Mapping[str, str]
    key: tuple[str, ...] = ()
    cursor: str | None = None
    kind: CursorKind | None = None

    def batch(self, texts: Sequence[bytes]) -> pa.RecordBatch:
        """A row for each record, all columns: those of the fields, :data:`lakehouse.sources.records.OTHERS`, and
        :data:`MISFITS` with what is no object, and with the cursor's text where it is of another type."""
        records = Records()
        for number, text in enumerate(texts):
            try:
                records.add(number, decoded(text))
            except NoObjectError as error:
                records.add_broken(number, f"no JSON object: {error}")
        found = records.batch(Fields.named(self.names), lambda number, path: as_written(texts[number], path))
        return found if self.cursor is None else self._typed(found)

    def _typed(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        assert self.cursor is not None
        assert self.kind is not None
        said = batch.column(self.cursor).to_pylist()
        typed = cursors.typed(said, self.kind)
        misfits = batch.column(MISFITS).to_pylist()
        for number, is_typed in enumerate(typed.is_valid().to_pylist()):
            if not is_typed and said[number] is not None:
                misfits[number] = json.dumps({self.cursor: said[number]}, ensure_ascii=False)
        columns = {name: batch.column(name) for name in batch.schema.names}
        return pa.RecordBatch.from_pydict({**columns, self.cursor: typed, MISFITS: pa.array(misfits, pa.string())})

    def key_of(self, text: bytes) -> str | None:
        """The key of a record as one text; ``None`` of a record without one, and where the table has none."""
        try:
            record = decoded(text)
        except NoObjectError:
            return None
        values = [inside(record, tuple(self.names[name].split("."))) for name in self.key]
        return None if not values or None in values else json.dumps(values, ensure_ascii=False, default=str)


@dataclass
class Presence:
    """Which fields the records of a read have, whatever their values are.

    Attributes:
        wanted: the names in a record of those that each read is expected to have.
    """

    wanted: Sequence[str]
    records: int = 0
    _lacking: dict[str, Path] = field(init=False)

    def __post_init__(self) -> None:
        self._lacking = {name: tuple(name.split(".")) for name in self.wanted}

    def add(self, texts: Sequence[bytes]) -> None:
        self.records += len(texts)
        for text in texts:
            if not self._lacking:
                return
            try:
                record = decoded(text)
            except NoObjectError:
                continue
            self._lacking = {name: path for name, path in self._lacking.items() if not has(record, path)}

    def vanished(self) -> list[str]:
        """The fields that none of the records has, where they are enough to tell."""
        return sorted(self._lacking) if self.records >= _LEAST else []
