"""The folder in which the platform's files arrive, and how they are written there: as real programs do, mess included."""

import gzip
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from typing import Any

Line = Mapping[str, Any] | bytes


class Landing:
    """A folder below which each program has one of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, lines: Iterable[Line], *, cut: bool = False) -> None:
        """Write a file under a name that is passed over, and rename it when it is whole.

        Args:
            cut: whether its end is missing, as of a program that was killed; so it is written under its name at once.
        """
        content = b"".join(
            (line if isinstance(line, bytes) else json.dumps(line, ensure_ascii=False).encode()) + b"\n"
            for line in lines
        )
        content = content[: -len(content.splitlines()[-1]) // 2] if cut else content
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        waiting = path if cut else path.with_name(f".{path.name}")
        waiting.write_bytes(gzip.compress(content, mtime=0) if name.endswith(".gz") else content)
        waiting.rename(path)

    def days(self, program: str) -> list[date]:
        """The days of which a program has written files, the first one first."""
        folders = (self.folder / program).glob("day=*")
        return sorted(date.fromisoformat(folder.name.removeprefix("day=")) for folder in folders)


def written(moment: datetime, random: Random) -> str | int:
    """A moment in one of the ways in which programs write it: one column holds them all."""
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    ways = (
        moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        moment.isoformat(timespec="milliseconds"),
        moment.replace(tzinfo=None).isoformat(sep=" ", timespec="milliseconds"),
        f"{moment:%d/%m/%Y %H:%M:%S}",
        int(moment.timestamp()),
        int(moment.timestamp() * 1000),
        str(int(moment.timestamp())),
    )
    return random.choice(ways)


def moment_of(day: date, second: float) -> datetime:
    """A moment of a day (UTC)."""
    return datetime.fromtimestamp(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() + second, UTC)
