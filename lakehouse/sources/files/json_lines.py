"""JSON lines: a JSON object on each line."""

from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import Any

import pyarrow as pa

from lakehouse.sources.files.lines import TruncatedError, lines_of
from lakehouse.sources.json_objects import NoObjectError, as_written, decoded, objects
from lakehouse.sources.records import Fields, Path, Records


def batches(stream: pa.NativeFile, fields: Fields) -> Iterator[pa.RecordBatch]:
    """The records of a file; a line that is no object is a broken one, a blank line is none."""
    last = 0
    try:
        for first, lines in lines_of(stream):
            records, kept = Records(), []
            for line, text in enumerate(lines, first):
                last = line
                try:
                    values = decoded(text)
                except NoObjectError as error:
                    if not text.strip():
                        continue
                    records.add_broken(line, f"no JSON object: {error}")
                else:
                    records.add(line, values)
                kept.append(text)
            yield records.batch(fields, partial(_as_written, kept))
    except TruncatedError as error:
        records = Records()
        records.add_broken(last + 1, f"the rest of the file cannot be decompressed: {error}")
        yield records.batch(fields, partial(_as_written, []))


def sample(stream: pa.NativeFile, most: int) -> list[dict[str, Any]]:
    """The first records of a file, those that can be read."""
    lines = (line for _, some in lines_of(stream) for line in some)
    return list(islice(objects(lines), most))


def _as_written(lines: list[bytes], number: int, path: Path) -> str:
    return as_written(lines[number], path)
