"""What the driver says of a file that it wrote is what Iceberg finds in it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from lakehouse.iceberg import data_files
from lakehouse.iceberg.arrow_types import arrow_type
from lakehouse.iceberg.catalog import Catalog
from lakehouse.iceberg.data_files import WrittenFile
from lakehouse.iceberg.metrics import metrics_of
from lakehouse.iceberg.table import IcebergTable
from lakehouse.paths import TableName

LETTERS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
EDGES = st.sampled_from(
    ["", "a" * 16, "a" * 17, "\U0010ffff" * 17, "a" * 15 + "\ud7ff" + "b", "\U0010ffff" * 15 + "zz"]
)
KINDS: dict[str, st.SearchStrategy[Any]] = {
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "bigint": st.integers(-(2**63), 2**63 - 1),
    "float": st.floats(width=32),
    "double": st.floats(),
    "string": LETTERS | EDGES | st.just("long" * 2000),
    "binary": st.binary(max_size=20) | st.just(b"\xff" * 17) | st.just(b"a\xff" * 10),
    "date": st.dates(date(1, 1, 1), date(9999, 12, 31)),
    "timestamp": st.datetimes(timezones=st.just(UTC)),
    "decimal(9,2)": st.decimals(-(10**7) + 1, 10**7 - 1, places=2),
    "decimal(38,3)": st.integers(-(10**34), 10**34).map(lambda number: Decimal(f"{number}.125")),
}
COLUMNS = {f"c{number}": kind for number, kind in enumerate(KINDS)}
ROWS = st.fixed_dictionaries({name: st.none() | KINDS[kind] for name, kind in COLUMNS.items()})
PARTITIONS = [("c1",), ("c5",), ("years(c8)",), ("months(c8)",), ("days(c8)",), ("hours(c8)",), ("c7", "c0"), ("c9",)]


@pytest.fixture(scope="module")
def catalog(spark: SparkSession) -> Catalog:
    return Catalog.of_session(spark)


@pytest.fixture(scope="module")
def table(catalog: Catalog, spark: SparkSession) -> Iterator[IcebergTable]:
    name = TableName.parse("silver.metrics_of_all_types")
    yield catalog.create(name, COLUMNS)
    spark.sql(f"DROP TABLE {name} PURGE")


def told(table: IcebergTable, file: WrittenFile) -> dict[str, Any]:
    """What a commit would say of ``file``."""
    java = table.data_file(file)
    spec = table._java.spec()
    said: dict[str, Any] = json.loads(table._classes("ContentFileParser").toJson(java, spec))
    return {name: dict(zip(*v.values(), strict=True)) if isinstance(v, dict) else v for name, v in said.items()}


def written(table: IcebergTable, rows: list[dict[str, Any]]) -> WrittenFile:
    schema = pa.schema([pa.field(name, arrow_type(kind)) for name, kind in COLUMNS.items()])
    batch = pa.RecordBatch.from_pylist(rows, schema)
    file = data_files.write(table.new_file(), [batch], {})
    assert file is not None
    assert file.metrics is not None
    return file


@settings(max_examples=60)
@given(rows=st.lists(ROWS, min_size=1, max_size=5))
def test_a_file_is_described_as_iceberg_describes_it(table: IcebergTable, rows: list[dict[str, Any]]) -> None:
    file = written(table, rows)
    assert told(table, file) == told(table, replace(file, metrics=None))


@pytest.mark.parametrize("partition_by", PARTITIONS, ids=str)
def test_its_partition_too(catalog: Catalog, spark: SparkSession, partition_by: tuple[str, ...]) -> None:
    name = TableName.parse("silver.metrics_of_partitions")
    table = catalog.create(name, COLUMNS)
    try:
        table.partition(partition_by)
        texts = {
            "c1": "-7", "c5": "ü /=#", "years(c8)": "-1", "months(c8)": "-5", "days(c8)": "1969-12-31",
            "hours(c8)": "-30", "c7": "2024-02-29", "c0": "true", "c9": "-10.50",
        }  # fmt: skip
        for partition in (tuple(texts[item] for item in partition_by), (None,) * len(partition_by)):
            file = replace(written(table, [dict.fromkeys(COLUMNS)]), partition=partition)
            assert told(table, file) == told(table, replace(file, metrics=None))
    finally:
        spark.sql(f"DROP TABLE {name} PURGE")


def test_metrics_that_somebody_asked_for_are_left_to_iceberg(catalog: Catalog, spark: SparkSession) -> None:
    name = TableName.parse("silver.metrics_of_taste")
    catalog.create(name, COLUMNS)
    try:
        spark.sql(f"ALTER TABLE {name} SET TBLPROPERTIES ('write.metadata.metrics.default' = 'none')")
        table = catalog.get(name)
        said = told(table, written(table, [{"c1": 1}]))
        assert said["value-counts"] == {}
    finally:
        spark.sql(f"DROP TABLE {name} PURGE")


def footer_of(groups: list[list[Any]], kind: pa.DataType) -> tuple[pq.FileMetaData, pa.Schema]:
    schema = pa.schema([pa.field("c", kind, metadata={"PARQUET:field_id": "7"})])
    found: list[pq.FileMetaData] = []
    with pq.ParquetWriter(pa.BufferOutputStream(), schema, metadata_collector=found) as writer:
        for values in groups:
            writer.write_table(pa.table([pa.array(values, kind)], schema=schema), row_group_size=len(values))
    return found[0], schema


def test_bounds_are_those_of_all_row_groups() -> None:
    said = metrics_of(*footer_of([[3, 4], [None, None], [-2, 1]], pa.int32()))
    assert said is not None
    assert said["lower-bounds"] == {"keys": [7], "values": ["FEFFFFFF"]}
    assert said["upper-bounds"] == {"keys": [7], "values": ["04000000"]}
    assert said["null-value-counts"]["values"] == [2]
    assert said["value-counts"]["values"] == [6]


def test_there_are_no_bounds_where_those_of_one_row_group_are_not_known() -> None:
    said = metrics_of(*footer_of([["a"], ["b" * 5000]], pa.string()))
    assert said is not None
    assert said["lower-bounds"] == said["upper-bounds"] == {"keys": [], "values": []}


def test_a_table_of_very_many_columns_is_left_to_iceberg() -> None:
    schema = pa.schema([pa.field(f"c{n}", pa.int32(), metadata={"PARQUET:field_id": str(n)}) for n in range(101)])
    found: list[pq.FileMetaData] = []
    with pq.ParquetWriter(pa.BufferOutputStream(), schema, metadata_collector=found) as writer:
        writer.write_table(schema.empty_table())
    assert metrics_of(found[0], schema) is None
