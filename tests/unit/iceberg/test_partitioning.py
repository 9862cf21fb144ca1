"""Partition fields as the registry spells them, as Iceberg has them, and what a change of them does."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from lakehouse.errors import ConfigurationError
from lakehouse.iceberg.catalog import Catalog
from lakehouse.iceberg.merge_here import merge_here
from lakehouse.iceberg.partitioning import PartitionField, alike, can_tell, normal, parse_partition, spelled
from lakehouse.iceberg.table import IcebergTable
from lakehouse.iceberg.write import append
from lakehouse.paths import silver


@pytest.mark.parametrize(
    ("field", "parsed", "iceberg"),
    [("country", ("identity", None, "country"), "identity"), ("years(at)", ("years", None, "at"), "year"),
     ("months(at)", ("months", None, "at"), "month"), ("days( at )", ("days", None, "at"), "day"),
     ("hours(at)", ("hours", None, "at"), "hour"), ("bucket(16,id)", ("bucket", 16, "id"), "bucket[16]"),
     ("truncate(4, code)", ("truncate", 4, "code"), "truncate[4]")],
)  # fmt: skip
def test_a_field_is_read_and_spelled_alike(field: str, parsed: tuple[str, int | None, str], iceberg: str) -> None:
    assert parse_partition(field) == parsed
    assert normal(field) == spelled(iceberg, parsed[2])


@pytest.mark.parametrize("field", ["weeks(at)", "bucket(id)", "bucket(x, id)", "days(", "days(at)) ", ""])
def test_what_is_no_field_is_refused(field: str) -> None:
    with pytest.raises(ConfigurationError, match="is not a partition field"):
        parse_partition(field)


def test_a_removed_field_of_format_one_has_no_spelling() -> None:
    assert spelled("void", "at") == ""


def test_neither_order_nor_white_space_makes_another_partitioning() -> None:
    assert alike(["days(at)", "bucket(4, id)"], ["bucket(4,id)", "days( at )"])
    assert not alike(["days(at)"], ["days(at)", "id"])
    assert not alike(["days(at)"], ["months(at)"])


def test_a_table_is_changed_to_new_fields_once(spark: SparkSession) -> None:
    """A field that is added comes last in Iceberg, wherever the registry has it."""
    columns = {"id": "int", "country": "string", "at": "timestamp"}
    table = Catalog.of_session(spark).create(silver("test_partitioning"), columns)
    table.partition(["country"], ["id"])
    assert table.partition(["country"], ["id"]) == ()
    assert table.partition(["days(at)", "bucket(4,id)", "country"], ["id"]) == (
        "partitioned by days(at), bucket(4,id), country from now on, before by country",
    )
    assert table.partition(["days(at)", "bucket(4,id)", "country"], ["id"]) == ()
    assert table.partition(["bucket(4, id)"], ["at", "id"]) == (
        "partitioned by bucket(4, id) from now on, before by country, days(at), bucket(4, id)",
        "sorted by at, id from now on",
    )
    assert table.partition([]) == (
        "partitioned by nothing from now on, before by bucket(4, id)", "sorted by nothing from now on")  # fmt: skip


MOMENTS = [None, datetime(1900, 1, 1, tzinfo=UTC), datetime(1969, 12, 31, 23, 59, 59, 999999, UTC),
           datetime(1970, 1, 1, tzinfo=UTC), datetime(2024, 2, 29, 12, 30, tzinfo=UTC)]  # fmt: skip
DAYS = [date(1969, 12, 31), None, date(1970, 1, 1), date(2024, 2, 29), date(1900, 1, 1)]
#: For each kind of partition field a column of its own, its type and its values; each row of the table has one of each.
PARTED: dict[str, tuple[str, list[Any]]] = {
    "years(at_y)": ("timestamp", MOMENTS), "months(at_m)": ("timestamp", MOMENTS), "days(at_d)": ("timestamp", MOMENTS),
    "hours(at_h)": ("timestamp", MOMENTS), "years(day_y)": ("date", DAYS), "months(day_m)": ("date", DAYS),
    "days(day_d)": ("date", DAYS), "day": ("date", DAYS), "i": ("int", [-1, None, 0, 7, 2**31 - 1]),
    "l": ("bigint", [-(2**63), 0, None, 7, 8]), "w": ("string", ["", "a/b=c", None, "'", "\u00e9 \n"]),
    "f": ("boolean", [True, False, None, True, False]),
    "n": ("decimal(20,10)", [Decimal(text) if text else None for text in ("0", "1.5", "-1e-10", None, "1234567890.1")]),
}  # fmt: skip
KINDS = {"id": "int", **{parse_partition(item)[2]: kind for item, (kind, _) in PARTED.items()}}


@pytest.fixture
def twins(spark: SparkSession) -> Iterator[list[IcebergTable]]:
    """Two tables that are partitioned in every way that the driver can tell."""
    catalog, names = Catalog.of_session(spark), [silver(f"parted_{uuid4().hex[:8]}") for _ in range(2)]
    catalog.ensure_namespace(names[0].layer)
    columns = ", ".join(f"{column} {kind}" for column, kind in KINDS.items())
    for name in names:
        spark.sql(f"CREATE TABLE {name} ({columns}) USING iceberg PARTITIONED BY ({', '.join(PARTED)})")
    yield [catalog.get(name) for name in names]
    for name in names:
        spark.sql(f"DROP TABLE {name} PURGE")


def test_the_driver_s_partitions_are_those_that_spark_writes(spark: SparkSession, twins: list[IcebergTable]) -> None:
    here, by_spark = twins
    schema = here.arrow_schema()
    values = [range(5), *(held for _, held in PARTED.values())]
    arrays = [pa.array(list(held), item.type) for held, item in zip(values, schema, strict=True)]
    rows = pa.table(arrays, schema=schema)
    assert merge_here(rows, pa.array([False] * 5), here, ["id"], {}) is not None
    append(spark.createDataFrame(rows), by_spark, {})

    told = [
        sorted(spark.sql(f"SELECT id, to_json(_partition) AS parted FROM {table.name}").collect()) for table in twins
    ]
    assert told[0] == told[1]
    assert [row.id for row in told[0]] == [0, 1, 2, 3, 4]

    # a file that were in a wrong partition would be left out by a condition on the column
    spark.createDataFrame(rows).createOrReplaceTempView("wanted")
    ids = []
    for number in range(5):
        equal = " AND ".join(f"{name} <=> (SELECT {name} FROM wanted WHERE id = {number})" for name in KINDS)
        ids.append(f"SELECT id FROM {here.name} WHERE {equal}")
    assert sorted(row.id for row in spark.sql(" UNION ALL ".join(ids)).collect()) == [0, 1, 2, 3, 4]

    # what Iceberg says of a file's partition is what the driver says of a row's: no second file of a partition
    changed = rows.set_column(0, schema.field("id"), pa.array(range(5, 10), pa.int32()))
    merge_here(changed, pa.array([False] * 5), here, ["id"], {})
    assert (len(here.held_files()), here.row_count) == (5, 10)


@pytest.mark.parametrize(
    ("transform", "kind", "expected"),
    [("identity", pa.int32(), True), ("identity", pa.decimal128(8, 2), True), ("identity", pa.bool_(), True),
     ("identity", pa.float64(), False), ("identity", pa.timestamp("us", tz="UTC"), False), ("identity", pa.binary(), False),
     ("day", pa.date32(), True), ("hour", pa.timestamp("us", tz="UTC"), True), ("bucket[4]", pa.int32(), False),
     ("truncate[4]", pa.string(), False), ("void", pa.int32(), False)],
)  # fmt: skip
def test_what_the_driver_cannot_tell_it_says(transform: str, kind: pa.DataType, expected: bool) -> None:
    assert can_tell(PartitionField("1000", transform, "x"), kind) is expected
