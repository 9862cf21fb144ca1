"""Rows of the driver as Arrow record batches, column by column."""

import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from lakehouse.iceberg.arrow_types import arrow_type
from lakehouse.sources.cassandra.schema import CassandraTable, Decode, ReadAs
from lakehouse.sources.reader import MISFITS

JSON_NULL = "null"  # what Cassandra makes of a collection without an element
_DAY_MS = 86_400_000
_FIRST_DAY, _AFTER_DAY = -719_162, 2_932_897  # 0001-01-01 and 10000-01-01, in days since 1970-01-01


def to_batch(rows: Sequence[tuple[Any, ...]], table: CassandraTable, columns: Sequence[str]) -> pa.RecordBatch:
    """``rows``, whose cells stand in the order of ``columns``, as a batch with :data:`MISFITS` last."""
    misfits: dict[int, dict[str, str]] = {}
    arrays = []
    for name, cells in zip(columns, zip(*rows, strict=True), strict=True):
        read = table.reads[name]
        match read.decode:
            case Decode.TEXT:
                array = pa.array([None if cell is None else str(cell) for cell in cells], pa.string())
            case Decode.JSON:
                array = pa.array([None if cell == JSON_NULL else cell for cell in cells], pa.string())
            case Decode.MILLISECONDS:
                moments = _within(cells, read, name, "ms since 1970", misfits)
                array = pa.array(moments, pa.timestamp("ms", tz="UTC")).cast(arrow_type("timestamp"))
            case Decode.DAYS:
                counts = [None if cell is None else cell.days_from_epoch for cell in cells]
                days = _within(counts, read, name, "days since 1970", misfits)
                array = pa.array(days, pa.int32()).cast(pa.date32())
            case _:
                array = pa.array(cells, arrow_type(read.lake_type))
        arrays.append(array)
    texts = [json.dumps(misfits[row], ensure_ascii=False) if row in misfits else None for row in range(len(rows))]
    return pa.RecordBatch.from_arrays([*arrays, pa.array(texts, pa.string())], names=[*columns, MISFITS])


def fits(read: ReadAs, value: int) -> bool:
    """Whether the lake can hold a moment or a day, as Cassandra counts them: 0001-01-01 to 9999-12-31."""
    unit = _DAY_MS if read.decode is Decode.MILLISECONDS else 1
    return _FIRST_DAY * unit <= value < _AFTER_DAY * unit


def _within(
    cells: Sequence[int | None], read: ReadAs, name: str, unit: str, misfits: dict[int, dict[str, str]]
) -> list[int | None]:
    """``cells``, NULL where the lake cannot hold them; those go to ``misfits``."""
    values: list[int | None] = []
    for row, cell in enumerate(cells):
        good = cell is None or fits(read, cell)
        values.append(cell if good else None)
        if not good:
            misfits.setdefault(row, {})[name] = f"{cell} {unit}"
    return values
