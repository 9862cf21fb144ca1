"""Loads of raw and silver, that end well or break off, whatever the source."""

from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa

from lakehouse.orchestrate.runs import Status, TableRun
from tests.conftest import TestLake

Batches = Callable[[Any], Iterator[pa.RecordBatch]]


def run(lake: TestLake, name: str, **options: Any) -> TableRun:
    """Raw and silver of a table; the raw one's outcome. The books balance."""
    found = lake.run(f"raw.{name}", f"silver.{name}", **options)
    for done in found.values():
        assert done.status in {Status.SUCCEEDED, Status.UNCHANGED}, done.error
    silver = found[f"silver.{name}"]
    assert silver.rows_read == silver.merged + silver.superseded + silver.rejected
    return found[f"raw.{name}"]


def drop(lake: TestLake, name: str) -> None:
    """Throw away all that the lake has of a table."""
    for layer in ("raw", "silver", "quarantine"):
        lake.spark.sql(f"DROP TABLE IF EXISTS iceberg.{layer}.{name} PURGE")


def dying(whole: Batches, after: int) -> Batches:
    """Reads the batches of a part as ``whole`` does, and dies after so many of them, or behind the last one."""

    def batches(part: Any) -> Iterator[pa.RecordBatch]:
        for number, batch in enumerate(whole(part)):
            if number == after:
                raise RuntimeError("killed")
            yield batch
        raise RuntimeError("killed")

    return batches
