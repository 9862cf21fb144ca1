"""Merging against a model of it in Python: what is there afterwards, and that only true changes are written."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lakehouse.errors import SystemFailureError
from lakehouse.iceberg.catalog import Catalog
from lakehouse.iceberg.changes import Changes
from lakehouse.iceberg.data_files import write as write_file
from lakehouse.iceberg.spark_errors import BrokenRowError
from lakehouse.iceberg.table import IcebergTable
from lakehouse.iceberg.write import REMOVED, append, merge, merge_part, overwrite, replace
from lakehouse.paths import Layer, TableName, quote, silver
from lakehouse.testing import local_frame

Rows = dict[int, tuple[str | None, str | None]]
COLUMNS = {"id": "int", "v": "string", "w": "string"}
SCHEMA = "id int, v string, w string"

cells = st.sampled_from([None, "a", "b"])
contents: st.SearchStrategy[Rows] = st.dictionaries(st.integers(1, 5), st.tuples(cells, cells), max_size=5)
few = settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def target(spark: SparkSession) -> Iterator[IcebergTable]:
    """One table for all examples: each begins by overwriting it."""
    name = silver(f"merged_{uuid4().hex[:8]}")
    yield Catalog.of_session(spark).create(name, COLUMNS)
    spark.sql(f"DROP TABLE IF EXISTS {name} PURGE")


def frame(spark: SparkSession, rows: Rows) -> DataFrame:
    return local_frame(spark, [(key, *values) for key, values in rows.items()], SCHEMA)


def held(spark: SparkSession, target: IcebergTable) -> Rows:
    rows = [tuple(row) for row in spark.table(str(target.name)).collect()]
    assert len({row[0] for row in rows}) == len(rows)
    return {row[0]: (row[1], row[2]) for row in rows}


def begin(spark: SparkSession, target: IcebergTable, rows: Rows) -> int:
    return overwrite(frame(spark, rows), target, {"example": "begins"})


@few
@given(before=contents, upserts=contents, removed=st.sets(st.integers(1, 6)), mirror=st.booleans(), lost=st.booleans())
def test_a_merge_is_the_model_s(
    spark: SparkSession,
    target: IcebergTable,
    before: Rows,
    upserts: Rows,
    removed: set[int],
    mirror: bool,
    lost: bool,
) -> None:
    begin(spark, target, before)
    changes = {key: (*values, False) for key, values in upserts.items()}
    changes |= dict.fromkeys(removed, (None, None, True))
    source = local_frame(spark, [(key, *row) for key, row in changes.items()], f"{SCHEMA}, {quote(REMOVED)} boolean")

    expected = {} if mirror else dict(before)
    for key, (v, w, gone) in changes.items():
        if gone:
            expected.pop(key, None)
        else:
            keeps = lost and w is None and key in before
            expected[key] = (v, before[key][1] if keeps else w)

    head = merge(source, target, ["id"], {"example": "merged"}, mirror=mirror, lost=["w"] if lost else [])
    assert held(spark, target) == expected
    assert head == target.head
    assert target.newest("example") == "merged"


@few
@given(before=contents, after=contents, part=st.sets(st.integers(1, 6), max_size=4))
def test_a_part_is_replaced_and_what_changed_is_told(
    spark: SparkSession, target: IcebergTable, before: Rows, after: Rows, part: set[int]
) -> None:
    begun = begin(spark, target, before)
    rows = {key: values for key, values in after.items() if key in part}
    parts = local_frame(spark, [(key,) for key in sorted(part)], "id int")
    changes = Changes()
    head = merge_part(frame(spark, rows), target, ["id"], parts, {"example": "part"}, changes)

    expected = {key: values for key, values in before.items() if key not in part} | rows
    assert held(spark, target) == expected
    assert target.newest("example") == "part"
    assert [snapshot.identifier for snapshot in target.history()][:2] == [head, begun]  # in one snapshot
    told = changes.between(spark, target, begun, head)
    different = {(k, *r[k]) for r in (before, expected) for k in r if before.get(k) != expected.get(k)}
    assert {tuple(row) for row in told.select(*COLUMNS).collect()} == different


def test_a_commit_bears_its_properties_and_leaves_the_session_as_it_was(
    spark: SparkSession, target: IcebergTable
) -> None:
    begin(spark, target, {1: ("a", None)})
    source = frame(spark, {1: ("b", None)}).withColumn(REMOVED, F.lit(False))
    merge(source, target, ["id"], {"mine": "yes"}, mirror=False)
    assert next(target.history()).summary["mine"] == "yes"
    append(frame(spark, {2: ("c", None)}), target, {})
    assert "mine" not in next(target.history()).summary
    set_there: dict[str, Any] = dict(spark.conf.getAll)
    assert not [name for name in set_there if "snapshot-property" in name]


def test_rows_are_added_and_a_part_that_meets_a_condition_is_replaced(
    spark: SparkSession, target: IcebergTable
) -> None:
    begin(spark, target, {1: ("a", None)})
    append(frame(spark, {2: ("b", None), 3: ("c", None)}), target, {})
    assert held(spark, target) == {1: ("a", None), 2: ("b", None), 3: ("c", None)}
    overwrite(frame(spark, {}), target, {}, where=F.lit(True))
    assert held(spark, target) == {}


def test_two_changes_of_one_key_are_an_error_and_neither_is_taken(spark: SparkSession, target: IcebergTable) -> None:
    begun = begin(spark, target, {1: ("a", None)})
    twice = frame(spark, {1: ("b", None)}).union(frame(spark, {1: ("c", None)})).withColumn(REMOVED, F.lit(False))
    with pytest.raises(SystemFailureError, match=f"merging into {target.name.dotted}"):
        merge(twice, target, ["id"], {}, mirror=False)
    target.refresh()
    assert target.head == begun


def test_a_row_that_cannot_be_computed_is_the_data_s_fault_and_nothing_is_committed(
    spark: SparkSession, target: IcebergTable
) -> None:
    begun = begin(spark, target, {1: ("a", None)})
    broken = frame(spark, {2: ("canary", None)}).withColumn("id", F.col("v").cast("int"))
    with pytest.raises(BrokenRowError) as caught:
        append(broken, target, {})
    assert "canary" not in str(caught.value)
    target.refresh()
    assert target.head == begun


def test_rows_that_are_there_already_are_no_change_for_what_is_made_from_the_table(
    spark: SparkSession, target: IcebergTable
) -> None:
    begun = begin(spark, target, {1: ("a", None), 2: ("b", "c"), 3: ("d", None)})
    rows = frame(spark, {1: ("a", None), 2: ("b", None), 3: ("e", None)}).withColumn(REMOVED, F.lit(False))
    head = merge(rows, target, ["id"], {}, mirror=False, lost=["w"])
    told = Changes().between(spark, target, begun, head).select(*COLUMNS).collect()
    assert {tuple(row) for row in told} == {(3, "d", None), (3, "e", None)}


@pytest.mark.parametrize(("layer", "codec"), [(Layer.SILVER, "ZSTD"), (Layer.GOLD, "SNAPPY")])
def test_what_analysts_read_is_compressed_for_reading(spark: SparkSession, layer: Layer, codec: str) -> None:
    """DuckDB reads it too: Spark's file and the driver's of the same table."""
    catalog = Catalog.of_session(spark)
    name = TableName(layer, f"codec_{uuid4().hex[:8]}")
    replace(frame(spark, {1: ("a", "b")}), name, catalog, (), {"example": "codec"})
    made = catalog.get(name)
    ours = made.new_file()
    write_file(ours, [pa.RecordBatch.from_pydict({"id": pa.array([2], pa.int32()), "v": ["a"], "w": ["b"]})], {})
    files = [path.removeprefix("file:") for path in (*made.data_file_paths(), ours.path)]
    assert [pq.ParquetFile(file).metadata.row_group(0).column(0).compression for file in files] == [codec, codec]
    assert duckdb.execute("SELECT id FROM read_parquet(?) ORDER BY 1", [files]).fetchall() == [(1,), (2,)]
    spark.sql(f"DROP TABLE {name} PURGE")
