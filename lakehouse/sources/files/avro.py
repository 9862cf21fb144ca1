"""Avro files: records with a schema in the file's head."""

from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import Any

import fastavro
import pyarrow as pa

from lakehouse.sources.avro_values import BROKEN, plain, spelled
from lakehouse.sources.records import Fields, Records

_MANY = 2_000


def batches(stream: pa.NativeFile, fields: Fields) -> Iterator[pa.RecordBatch]:
    """The records of a file, numbered from 1; what cannot be read ends it as a broken one."""
    line = 0
    try:
        source: Iterator[Any] = iter(fastavro.reader(stream))
        while some := list(islice(source, _MANY)):
            records = Records()
            for values in some:
                line += 1
                records.add(line, plain(values))
            yield records.batch(fields, partial(spelled, records))
    except BROKEN as error:
        records = Records()
        records.add_broken(line + 1, f"no Avro: {type(error).__name__}")
        yield records.batch(fields, partial(spelled, records))


def sample(stream: pa.NativeFile, most: int) -> list[dict[str, Any]]:
    """The first records of a file."""
    return [plain(values) for values in islice(fastavro.reader(stream), most)]
