"""Which files were read, in which version: the position of a table of files.

The newest files stand there one by one; the older ones only as how many there are and a digest, so that it does not grow with
the years. When an older one changes, its digest shows it, and raw tells which versions it holds.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lakehouse.model import Strict
from lakehouse.sources.files.store import Listed
from lakehouse.sources.reader import Held

#: More files than these do not stand there one by one; the newest ones do, so many.
_MOST, _NEWEST = 256, 64
_BITS = 128


class Older(Strict):
    """The files that were last written at ``until`` (nanoseconds since 1970) or before."""

    until: int
    count: int
    digest: str

    @classmethod
    def of(cls, until: int, files: Iterable[Listed]) -> "Older":
        """Those of ``files``."""
        total, count = 0, 0
        for file in files:
            if file.modified <= until:
                text = f"{file.name}\0{file.version}".encode()
                total += int.from_bytes(hashlib.blake2b(text, digest_size=_BITS // 8).digest())
                count += 1
        return cls(until=until, count=count, digest=f"{total % 2**_BITS:x}")


class Position(Strict):
    """What was read.

    Attributes:
        files: the version of each file that stands here by itself.
        older: all others.
        gone: whether some were read that were not there any more later; raw may have rows of them.
        numbered: how many files were numbered so far, in the order in which they were read.
    """

    files: Mapping[str, str] = {}
    older: Older | None = None
    gone: bool = False
    numbered: int = 0


@dataclass(frozen=True)
class News:
    """What is there that a position does not know.

    Attributes:
        new: the files to be read, in the order in which they were last written.
        replaced: the names of those of which another version was read.
        vanished: the names of those that were read and are not there any more.
        position: after they are read.
    """

    new: tuple[Listed, ...]
    replaced: tuple[str, ...]
    vanished: tuple[str, ...]
    position: Position


def news(before: Position | None, listed: Sequence[Listed], held: Held, *, anew: bool) -> News:
    """What ``listed`` has that ``before`` does not know.

    Args:
        listed: all files, in the order in which they were last written.
        held: see :class:`lakehouse.sources.reader.Held`; asked where the position does not tell.
        anew: whether files that were read are to be read again; those of which raw has rows are replaced then.
    """
    known = _known(before, listed, held, anew=anew)
    new = tuple(file for file in listed if anew or known.get(file.name) != file.version)
    there = {file.name for file in listed}
    vanished = tuple(name for name in known if name not in there)
    gone = bool(vanished) or (before is not None and before.gone)
    return News(
        new=new,
        replaced=tuple(file.name for file in new if file.name in known),
        vanished=vanished,
        position=_position(before, listed, gone=gone, numbered=(before.numbered if before else 0) + len(new)),
    )


def _known(before: Position | None, listed: Sequence[Listed], held: Held, *, anew: bool) -> dict[str, str]:
    """The version of each file that was read, as far as it is not known that the file is as it was."""
    if before is None or anew:
        return dict(held(None)) if anew else {}
    older = before.older
    if older is not None and Older.of(older.until, listed) != older:
        return {**held(None), **before.files}
    known = {file.name: file.version for file in listed if older is not None and file.modified <= older.until}
    known |= before.files
    unknown = [file.name for file in listed if file.name not in known]
    return {**held(unknown), **known} if before.gone and unknown else known


def _position(before: Position | None, listed: Sequence[Listed], *, gone: bool, numbered: int) -> Position:
    until = before.older.until if before and before.older else None
    single = [file for file in listed if until is None or file.modified > until]
    if len(single) > _MOST:
        until = single[-_NEWEST - 1].modified
        single = [file for file in listed if file.modified > until]
    older = None if until is None else Older.of(until, listed)
    return Position(files={file.name: file.version for file in single}, older=older, gone=gone, numbered=numbered)
