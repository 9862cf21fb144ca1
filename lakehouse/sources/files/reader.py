"""The files that fit a pattern, as a relation to which rows arrive."""

from collections.abc import Mapping, Sequence

import pyarrow as pa

from lakehouse.errors import SourceError
from lakehouse.sources.feed import OnlyArrives
from lakehouse.sources.files.part import FilesPart, Reading
from lakehouse.sources.files.position import Older, Position, news
from lakehouse.sources.files.settings import Settings
from lakehouse.sources.files.store import Listed, suffixes
from lakehouse.sources.reader import Arrived, Bound, Held, Look, Part
from lakehouse.sources.relation import SourceRelation

#: Bytes of files that become one data file, where there are more than each reader has one of.
_TOGETHER = 256 * 2**20
#: What a compressed file becomes, and about how many bytes a row takes then: for a guess at how many rows come.
_UNPACKED, _ROW = 6, 64
_FOR_EVER = 2**63 - 1


class FilesReader(OnlyArrives):
    """See :class:`lakehouse.sources.reader.Feed`."""

    brings_deletes = False

    def __init__(
        self,
        relation: SourceRelation,
        reading: Reading,
        source: Settings,
        listed: Sequence[Listed],
        options: Mapping[str, str],
        doing: str,
    ) -> None:
        """``listed`` are the files that fit, as they were when the session looked at them."""
        self.relation, self.options = relation, options
        self._reading, self._source, self._listed, self._doing = reading, source, listed, doing

    def arrived(self, columns: Sequence[str], position: str | None, held: Held, *, anew: bool) -> Arrived:
        before = Position.model_validate_json(position) if position is not None else None
        found = news(before, self._listed, held, anew=anew)
        first = found.position.numbered - len(found.new)
        return Arrived(
            parts=self._parts([(file, first + place) for place, file in enumerate(found.new)], columns),
            position=found.position.model_dump_json(exclude_none=True),
            read=len(found.new),
            rows=sum(_unpacked(file) for file in found.new) // _ROW,
            replaced=found.replaced,
            vanished=found.vanished,
            notes=() if self._listed else (f"no file fits {self.relation.name}",),
        )

    def read(self, columns: Sequence[str], bound: Bound | None = None, keys: pa.Table | None = None) -> Sequence[Part]:
        """All rows.

        Raises:
            SourceError: others are asked for; files are read as a whole.
        """
        if bound is not None or keys is not None:
            raise self.no_cursor()
        return self._parts([(file, number) for number, file in enumerate(self._listed)], columns)

    def look(self, columns: Sequence[str], bound: Bound | None, *, count_keys: bool) -> Look:
        """By names, sizes and times of the files."""
        del columns, bound, count_keys
        found = Older.of(_FOR_EVER, self._listed)
        return Look(f"{found.count} {found.digest}", None)

    def no_cursor(self) -> SourceError:
        return SourceError(
            f"{self._doing}: files are read as a whole, and have neither a cursor nor keys that could be asked for.",
            remedy="Write `load: arrivals` for the files that came since the last load, or `load: full` for all.",
        )

    def _parts(self, files: Sequence[tuple[Listed, int]], columns: Sequence[str]) -> list[FilesPart]:
        """``files`` in groups of about the same size, the order of each kept."""
        total = sum(file.size for file, _ in files)
        count = min(len(files), max(self._source.parallelism, -(-total // _TOGETHER)))
        groups: list[list[tuple[Listed, int]]] = [[] for _ in range(count)]
        sizes = [0] * count
        for item in sorted(files, key=lambda item: -item[0].size):
            place = sizes.index(min(sizes))
            groups[place].append(item)
            sizes[place] += item[0].size + 1
        ordered = (sorted(group, key=lambda item: item[1]) for group in groups)
        return [FilesPart(self._source, self._reading, tuple(group), tuple(columns), self._doing) for group in ordered]


def _unpacked(file: Listed) -> int:
    return file.size * (_UNPACKED if suffixes(file.name)[1] else 1)
