"""The lines of a text file, some of them at a time."""

from collections.abc import Iterator
from itertools import count

import pyarrow as pa

from lakehouse.errors import one_line

_CHUNK = 2**20
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class TruncatedError(Exception):
    """The file ends within its compressed content, or that is damaged."""


def lines_of(stream: pa.NativeFile) -> Iterator[tuple[int, list[bytes]]]:
    """Runs of lines, without their ends, each with the number of its first one, from 1.

    Raises:
        TruncatedError: after the lines that could be read.
    """
    rest, first = b"", 1
    for chunk in count():
        found = _read(stream)
        text = rest + (found.removeprefix(_BYTE_ORDER_MARK) if chunk == 0 else found)
        lines = text.split(b"\n")
        rest = lines.pop() if found else b""
        if not found and lines == [b""]:
            return
        if lines:
            yield first, lines
            first += len(lines)
        if not found:
            return


def _read(stream: pa.NativeFile) -> bytes:
    try:
        return bytes(stream.read(_CHUNK))
    except OSError as error:
        text = str(error).lower()
        if any(word in text for word in ("inflate", "zlib", "zstd", "truncated", "decompress")):
            raise TruncatedError(one_line(error, 200)) from None
        raise
