"""Records of text formats as Arrow: each declared field as the text that stands in the file, and what nobody declared as JSON.

Raw is what the source said, so nothing is cast here: ``1.50`` stays that, and an object or a list is JSON as it was written.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import pyarrow as pa

from lakehouse.paths import LINE
from lakehouse.sources.reader import MISFITS, RECORD
from lakehouse.sources.relation import SourceColumn

#: The column of the fields that the registry does not declare: JSON of them; NULL where there are none.
OTHERS = "other_fields"
OTHERS_COLUMN = SourceColumn(OTHERS, OTHERS, "JSON of fields that are not declared", "string")
Path = tuple[str, ...]


class Number(str):
    """A number of a text format, as it is written."""

    __slots__ = ()


class Spelled(Protocol):
    """How a value that is no text stands in the record of that number."""

    def __call__(self, number: int, path: Path) -> str: ...


@dataclass(frozen=True)
class Fields:
    """The fields that are read.

    Attributes:
        paths: by lake name, where in a record the value stands: ``(store, city)`` for ``store.city``.
    """

    paths: Mapping[str, Path]

    @classmethod
    def named(cls, names: Mapping[str, str]) -> "Fields":
        """Those of ``names``, lake name to name at the source."""
        return cls({name: tuple(source.split(".")) for name, source in names.items()})

    @property
    def roots(self) -> set[str]:
        """The fields of a record that hold them, those with parts of their own left out."""
        return {path[0] for path in self.paths.values() if len(path) == 1}

    def inner(self, root: str) -> set[str]:
        """The parts of the field ``root`` that are read by themselves."""
        return {path[1] for path in self.paths.values() if len(path) > 1 and path[0] == root}


@dataclass
class Records:
    """Some records of a file, or of a partition of a topic.

    Attributes:
        place: the column that says where each stands: in which line of the file, at which offset of the partition.
        values: of each record its fields by name; of a broken one, none.
        lines: where each stands: lines from 1, offsets from 0.
        broken: what is wrong, by the record's number here.
    """

    place: str = LINE

    values: list[Mapping[str, Any]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    broken: dict[int, str] = field(default_factory=dict)

    def add(self, line: int, values: Mapping[str, Any]) -> None:
        self.values.append(values)
        self.lines.append(line)

    def add_broken(self, line: int, why: str) -> None:
        """A record that cannot be read: where it stands and why, without its text, in which anything may be."""
        self.broken[len(self.values)] = why
        self.add(line, {})

    def batch(self, fields: Fields, spelled: Spelled) -> pa.RecordBatch:
        """The columns of ``fields``, :data:`OTHERS`, the one of the place, and :data:`MISFITS`."""
        arrays = {name: self._texts(path, spelled) for name, path in fields.paths.items()}
        arrays[OTHERS] = self._others(fields, spelled)
        arrays[self.place] = pa.array(self.lines, pa.int64())
        arrays[MISFITS] = self._misfits()
        return pa.RecordBatch.from_pydict(arrays)

    def _texts(self, path: Path, spelled: Spelled) -> pa.Array:
        if len(path) == 1:
            found: list[Any] = [record.get(path[0]) for record in self.values]
        else:
            found = [inside(record, path) for record in self.values]
        try:
            return pa.array(found, pa.string())
        except (pa.ArrowTypeError, pa.ArrowInvalid):
            return pa.array([_text(value, number, path, spelled) for number, value in enumerate(found)], pa.string())

    def _others(self, fields: Fields, spelled: Spelled) -> pa.Array:
        known = fields.roots
        found: list[str | None] = [None] * len(self.values)
        for number, record in enumerate(self.values):
            if record.keys() <= known:
                continue
            others = [name for name in record if name not in known and not _is_read(record[name], fields.inner(name))]
            if others:
                said = (f"{_quoted(name)}:{_json(record[name], number, name, spelled)}" for name in others)
                found[number] = f"{{{','.join(said)}}}"
        return pa.array(found, pa.string())

    def _misfits(self) -> pa.Array:
        said = {number: json.dumps({RECORD: why}, ensure_ascii=False) for number, why in self.broken.items()}
        return pa.array([said.get(number) for number in range(len(self.values))], pa.string())


def inside(record: Mapping[str, Any], path: Path) -> Any:
    """The value at ``path``, or of the field that is called so; ``None`` where there is none."""
    whole = ".".join(path)
    if whole in record:
        return record[whole]
    value: Any = record
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def has(record: Mapping[str, Any], path: Path) -> bool:
    """Whether there is a value at ``path``, be it null."""
    value: Any = record
    for name in path:
        if not isinstance(value, Mapping) or name not in value:
            return ".".join(path) in record
        value = value[name]
    return True


def _is_read(value: Any, inner: set[str]) -> bool:
    """Whether all that a field holds is read by its parts."""
    return isinstance(value, Mapping) and value.keys() <= inner


def _text(value: Any, number: int, path: Path, spelled: Spelled) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else spelled(number, path)


def _json(value: Any, number: int, name: str, spelled: Spelled) -> str:
    if isinstance(value, Number):
        return str(value)
    return _quoted(value) if value is None or isinstance(value, str | bool | int) else spelled(number, (name,))


def _quoted(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
