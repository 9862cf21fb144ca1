"""The folder of a source: which files are there, by a pattern, and their bytes."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.fs as fs

from lakehouse.errors import SourceError, SourceUnavailableError, one_line
from lakehouse.sources.files.settings import Settings
from lakehouse.sources.files.systems import opened

_WILD = re.compile(r"[*?\[]")
_SECOND = 10**9
_CODECS = {".gz": "gzip", ".gzip": "gzip", ".zst": "zstd", ".zstd": "zstd"}


@dataclass(frozen=True)
class Listed:
    """A file, as it was when files were listed.

    Attributes:
        name: its path below the source's folder, with ``/`` between folders.
        size: in bytes.
        modified: when it was last written, in nanoseconds since 1970.
    """

    name: str
    size: int
    modified: int

    @property
    def version(self) -> str:
        """Another one whenever the file is written anew, as far as its size and time tell."""
        return f"{self.size}-{self.modified}"


class Store:
    """The folder of ``source``.

    Raises:
        SourceError: the root is none that is known.
    """

    def __init__(self, source: Settings) -> None:
        self.where = f"the files at {source.root}"
        self._root = source.root
        self._system, self._base = opened(source)

    def listed(self, pattern: str) -> list[Listed]:
        """The files that fit, in the order in which they were last written.

        Args:
            pattern: ``*`` and ``?`` stand for letters of a name, ``[ab]`` for one of some, ``**`` for any folders. Names
                that begin with ``.`` or ``_`` are passed over, as Spark does, unless the pattern spells that out.

        Raises:
            SourceUnavailableError: the folder cannot be read.
        """
        fits = expression_of(pattern).fullmatch
        with self._translated(f"listing {pattern}"):
            if isinstance(self._system, fs.LocalFileSystem) and not Path(self._base).is_dir():
                raise FileNotFoundError(self._base)
            folder = "/".join(part for part in (self._base, _plain_folder(pattern)) if part)
            found = self._system.get_file_info(fs.FileSelector(folder, allow_not_found=True, recursive=True))
            files = [self._named(info) for info in found if info.type == fs.FileType.File]
        return sorted((file for file in files if fits(file.name)), key=lambda file: (file.modified, file.name))

    def check(self, file: Listed, doing: str) -> None:
        """Raise :class:`SourceUnavailableError` where ``file`` is not as it was listed.

        A store that tells time to the second here may miss one that was written twice in it; the next listing does not.
        """
        with self._translated(f"{doing}: looking at {file.name}"):
            info = self._system.get_file_info(self._path(file))
        there = self._named(info) if info.type == fs.FileType.File else None
        if there is None or (there.size, there.modified // _SECOND) != (file.size, file.modified // _SECOND):
            raise SourceUnavailableError(
                f"{doing}: {file.name} of {self.where} was written or removed while it was read; expected a file that is "
                "complete when it is there. Nothing was loaded.",
                remedy="Run again. Let writers finish a file under a name that begins with a dot, and rename it then.",
            )

    @contextmanager
    def opened(self, file: Listed, doing: str) -> Iterator[pa.NativeFile]:
        """The bytes of ``file``, for any place to be read."""
        with (
            self._translated(f"{doing}: reading {file.name}"),
            self._system.open_input_file(self._path(file)) as stream,
        ):
            yield stream

    @contextmanager
    def stream(self, file: Listed, doing: str) -> Iterator[pa.NativeFile]:
        """The content of ``file`` from its beginning, decompressed as its name says."""
        codec = _CODECS.get(suffixes(file.name)[1])
        system, path = self._system, self._path(file)
        with (
            self._translated(f"{doing}: reading {file.name}"),
            system.open_input_stream(path, compression=codec) as stream,
        ):
            yield stream

    def _path(self, file: Listed) -> str:
        return f"{self._base}/{file.name}"

    def _named(self, info: fs.FileInfo) -> Listed:
        return Listed(info.path.removeprefix(self._base).lstrip("/"), info.size, info.mtime_ns or 0)

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        """Turns errors of the file system into the project's. They hold no secret, and a path is no personal data."""
        try:
            yield
        except FileNotFoundError as error:
            raise SourceUnavailableError(
                f"{doing}: {error.strerror or error} is not there, of {self.where}.",
                remedy="Check `root` in the profile, and that it is mounted; a file that vanished is seen by the next run.",
            ) from None
        except PermissionError as error:
            raise SourceError(f"{doing}: {self.where} may not be read: {error.strerror or error}.") from None
        except (OSError, pa.ArrowException) as error:  # Azure's are no OSError
            raise SourceUnavailableError(
                f"{doing}: {self.where}: {one_line(error, 300)}",
                remedy="Check `root`, `endpoint` and the credentials in the profile, and that this machine reaches it.",
            ) from None


def suffixes(name: str) -> tuple[str, str]:
    """What a file's name says of its format and of how it is compressed (``.jsonl`` and ``.gz``); empty where nothing."""
    bare = name.rpartition("/")[2].lower()
    stem, dot, last = bare.rpartition(".")
    if f".{last}" not in _CODECS or not dot:
        return (f".{last}" if dot else "", "")
    inner, dot, kind = stem.rpartition(".")
    return (f".{kind}" if dot and inner else "", f".{last}")


def _plain_folder(pattern: str) -> str:
    """The folders of a pattern before the first that is none, below which all that fits lies."""
    plain = []
    for part in pattern.split("/")[:-1]:
        if _WILD.search(part):
            break
        plain.append(part)
    return "/".join(plain)


def expression_of(pattern: str) -> re.Pattern[str]:
    """What the names that fit a pattern (see :meth:`Store.listed`) match as a whole."""
    *folders, last = pattern.strip("/").split("/")
    return re.compile("".join(map(_folders, folders)) + _letters(last))


def _folders(part: str) -> str:
    return r"(?:(?![._])[^/]+/)*" if part == "**" else f"{_letters(part)}/"


def _letters(part: str) -> str:
    """A part of a pattern as a regular expression."""
    if part == "**":
        part = "*"
    passed_over = "" if part[:1] in {".", "_"} else r"(?![._])"
    found, place = [passed_over], 0
    while place < len(part):
        letter = part[place]
        end = part.find("]", place + 2) if letter == "[" else -1
        if letter == "*":
            found.append("[^/]*")
        elif letter == "?":
            found.append("[^/]")
        elif end > 0:
            inside = part[place + 1 : end].replace("\\", "\\\\").replace("[", "\\[")
            found.append(f"[^{inside[1:]}]" if inside[0] in "!^" else f"[{inside}]")
            place = end
        else:
            found.append(re.escape(letter))
        place += 1
    return "".join(found)
