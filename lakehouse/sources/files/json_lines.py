"""JSON lines: a JSON object on each line."""

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import msgspec
import pyarrow as pa

from lakehouse.sources.files.lines import TruncatedError, lines_of
from lakehouse.sources.files.records import Fields, Path, Records

_decode = msgspec.json.Decoder(dict).decode
_spelled = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def batches(stream: pa.NativeFile, fields: Fields) -> Iterator[pa.RecordBatch]:
    """The records of a file; a line that is no object is a broken one, a blank line is none."""
    last = 0
    try:
        for first, lines in lines_of(stream):
            records, kept = Records(), []
            for line, text in enumerate(lines, first):
                last = line
                try:
                    values = _decoded(text)
                except (msgspec.DecodeError, UnicodeDecodeError) as error:
                    if not text.strip():
                        continue
                    records.add_broken(line, f"no JSON object: {_why(error)}")
                else:
                    records.add(line, values)
                kept.append(text)
            yield records.batch(fields, partial(_as_written, kept))
    except TruncatedError as error:
        records = Records()
        records.add_broken(last + 1, f"the rest of the file cannot be decompressed: {error}")
        yield records.batch(fields, partial(_as_written, []))


def _decoded(text: bytes) -> dict[str, Any]:
    try:
        return _decode(text)
    except msgspec.DecodeError as error:
        if "out of range" not in str(error):
            raise
        _spelled(text)  # is it JSON, but for a number that no float holds?
        return dict(json.loads(text))


def sample(stream: pa.NativeFile, most: int) -> list[dict[str, Any]]:
    """The first records of a file, those that can be read; numbers with a point are texts, as they are written."""
    found: list[dict[str, Any]] = []
    for _, lines in lines_of(stream):
        for text in lines:
            try:
                _decode(text)
                found.append(json.loads(text, parse_float=str))
            except (ValueError, msgspec.DecodeError):
                continue
            if len(found) == most:
                return found
    return found


def _as_written(lines: list[bytes], number: int, path: Path) -> str:
    """The value at ``path`` in the line of that number, letter for letter."""
    found = _spelled(lines[number])
    whole = ".".join(path)
    if whole in found:
        return bytes(found[whole]).decode()
    for name in path[:-1]:
        found = _spelled(bytes(found[name]))
    return bytes(found[path[-1]]).decode()


def _why(error: Exception) -> str:
    """What is wrong, without a letter of the line."""
    return "a letter that is no UTF-8" if isinstance(error, UnicodeDecodeError) else str(error).removeprefix("JSON is ")
