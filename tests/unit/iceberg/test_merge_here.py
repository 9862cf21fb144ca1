"""Merging by the driver against a model of it in Python, and against Spark's MERGE."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from lakehouse.iceberg.catalog import Catalog
from lakehouse.iceberg.data_files import write
from lakehouse.iceberg.merge_here import merge_here, replace_part_here
from lakehouse.iceberg.table import IcebergTable
from lakehouse.iceberg.write_here import _parts
from lakehouse.paths import silver

Rows = dict[int, tuple[date | None, str | None]]
COLUMNS = {"id": "int", "day": "date", "w": "string"}
SCHEMA = "id int, day date, w string"

days = st.sampled_from([None, date(2024, 1, 31), date(2024, 2, 1), date(1969, 12, 31)])
contents: st.SearchStrategy[Rows] = st.dictionaries(
    st.integers(1, 6), st.tuples(days, st.sampled_from([None, "a", "b"])), max_size=6
)
some = settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module", params=[(), ("months(day)",), ("day", "w"), ("days(day)",)], ids=str)
def target(spark: SparkSession, request: pytest.FixtureRequest) -> Iterator[IcebergTable]:
    """One table for all examples of a partitioning: each begins by emptying it."""
    name = silver(f"merged_{uuid4().hex[:8]}")
    catalog = Catalog.of_session(spark)
    catalog.ensure_namespace(name.layer)
    layout = f"PARTITIONED BY ({', '.join(request.param)})" if request.param else ""
    spark.sql(f"CREATE TABLE {name} ({SCHEMA}) USING iceberg {layout}")
    yield catalog.get(name)
    spark.sql(f"DROP TABLE IF EXISTS {name} PURGE")


def table(rows: Rows, target: IcebergTable) -> pa.Table:
    schema = target.arrow_schema()
    columns = list(zip(*[(key, *row) for key, row in rows.items()], strict=True)) or [(), (), ()]
    return pa.table([pa.array(list(values), field.type) for values, field in zip(columns, schema, strict=True)], schema)


def held(spark: SparkSession, target: IcebergTable) -> Rows:
    """What the table holds, as Spark reads it."""
    rows = [tuple(row) for row in spark.sql(f"SELECT * FROM {target.name}").collect()]
    assert len({row[0] for row in rows}) == len(rows)
    return {row[0]: (row[1], row[2]) for row in rows}


def begin(target: IcebergTable, *files: Rows) -> None:
    """Make ``files`` the table's: of each partition one for each of them that holds rows of it."""
    before = [file.java for file in target.held_files()]
    fields = target.partition_fields()
    written = []
    for rows in files:
        for partition, inside in _parts(table(rows, target), fields):
            file = write(target.new_file(), inside.to_batches(), {})
            assert file is not None
            written.append(replace(file, partition=partition))
    target.exchange(before, written, {})


@some
@given(
    before=contents, upserts=contents, removed=st.sets(st.integers(1, 7)), mirror=st.booleans(), lost=st.booleans(),
    cut=st.integers(0, 6),
)  # fmt: skip
def test_a_merge_is_the_model_s(
    spark: SparkSession, target: IcebergTable, before: Rows, upserts: Rows, removed: set[int], mirror: bool, lost: bool,
    cut: int,
) -> None:  # fmt: skip
    """Whatever the partitioning, and however many files the rows stand in."""
    begin(target, *({k: v for k, v in before.items() if (k < cut) is side} for side in (True, False)))
    changes: dict[int, Any] = {key: (row, False) for key, row in upserts.items()}
    changes |= dict.fromkeys(removed, ((None, None), True))
    expected = {} if mirror else dict(before)
    for key, (row, gone) in changes.items():
        if gone:
            expected.pop(key, None)
        else:
            keeps = lost and row[1] is None and key in before
            expected[key] = (row[0], before[key][1] if keeps else row[1])

    merged = merge_here(
        table({key: row for key, (row, _) in changes.items()}, target),
        pa.array([gone for _, gone in changes.values()], pa.bool_()),
        target,
        ["id"],
        {"example": "merged"},
        mirror=mirror,
        lost=["w"] if lost else [],
    )
    assert merged is not None
    assert held(spark, target) == expected
    assert merged.snapshot == target.head
    assert target.newest("example") == "merged"
    told = sorted(map(repr, merged.changed.to_pylist()))
    differing = {key for key in {*before, *expected} if before.get(key) != expected.get(key)}
    rows = [(key, side[key]) for side in (before, expected) for key in differing if key in side]
    assert told == sorted(repr({"id": key, "day": row[0], "w": row[1]}) for key, row in rows)


@some
@given(before=contents, rows=contents, part=st.sets(days, min_size=1))
def test_a_part_is_replaced(
    spark: SparkSession, target: IcebergTable, before: Rows, rows: Rows, part: set[date | None]
) -> None:
    begin(target, before)
    rows = {key: row for key, row in rows.items() if row[0] in part}
    given_part = pa.table({"day": pa.array(sorted(part, key=str), pa.date32())})

    merged = replace_part_here(table(rows, target), given_part, target, ["id"], {"example": "part"})

    assert merged is not None
    assert held(spark, target) == {key: row for key, row in before.items() if row[0] not in part} | rows


def test_files_whose_rows_are_alike_stay(spark: SparkSession, target: IcebergTable) -> None:
    first: Rows = {1: (date(2024, 1, 31), "a")}
    second: Rows = {2: (date(2024, 1, 31), "b")}
    begin(target, first, second)
    files = set(target.data_file_paths())

    merge_here(table(first | second, target), pa.array([False, False]), target, ["id"], {})
    assert set(target.data_file_paths()) == files

    merge_here(table({2: (date(2024, 1, 31), None)}, target), pa.array([False]), target, ["id"], {})
    assert len(set(target.data_file_paths()) & files) == 1


def test_small_files_do_not_become_many(spark: SparkSession, target: IcebergTable) -> None:
    begin(target)
    for key in range(12):
        merge_here(table({key: (date(2024, 1, 31), "a")}, target), pa.array([False]), target, ["id"], {})
    assert len(target.data_file_paths()) == 1
    assert len(held(spark, target)) == 12


def test_a_partitioning_that_only_spark_writes_is_left_to_it(spark: SparkSession) -> None:
    name = silver(f"bucketed_{uuid4().hex[:8]}")
    spark.sql(f"CREATE TABLE {name} (id int, at timestamp) USING iceberg PARTITIONED BY (bucket(4, id))")
    target = Catalog.of_session(spark).get(name)
    rows = pa.table([pa.array([1], pa.int32()), pa.array([datetime.now(UTC)])], ["id", "at"])
    rows = rows.cast(target.arrow_schema())
    try:
        assert merge_here(rows, pa.array([False]), target, ["id"], {}) is None
        assert target.head is None
    finally:
        spark.sql(f"DROP TABLE {name} PURGE")
