"""Tables by name: finding, making and extending them."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from pyspark.sql import SparkSession

from lakehouse.errors import SystemFailureError
from lakehouse.iceberg.catalog import Catalog
from lakehouse.paths import Layer, TableName, ops, silver


@pytest.fixture(scope="module")
def catalog(spark: SparkSession) -> Catalog:
    return Catalog.of_session(spark)


@pytest.fixture
def name(spark: SparkSession) -> Iterator[TableName]:
    found = silver(f"cat_{uuid4().hex[:8]}")
    yield found
    spark.sql(f"DROP TABLE IF EXISTS {found} PURGE")


def test_a_table_that_is_not_there_is_none_or_an_error_that_says_so(catalog: Catalog, name: TableName) -> None:
    assert catalog.find(name) is None
    with pytest.raises(SystemFailureError, match=rf"table {name.dotted} is not there; expected that an earlier step"):
        catalog.get(name)


def test_a_new_table_is_empty_has_its_columns_in_order_and_nothing_was_committed_to_it(
    catalog: Catalog, name: TableName
) -> None:
    columns = {"id": "bigint", "amount": "decimal(9,2)", "at": "timestamp", "note": "string", "żółć": "binary"}
    made = catalog.create(name, columns)
    found = catalog.get(name)
    for table in (made, found):
        assert {field.name: field.lake_type for field in table.fields} == columns
        assert (table.head, table.row_count, list(table.history()), table.data_file_paths()) == (None, 0, [], [])


def test_a_table_s_writes_copy_and_leave_no_row_level_deletes(
    spark: SparkSession, catalog: Catalog, name: TableName
) -> None:
    catalog.create(name, {"id": "int"})
    said = {row["key"]: row["value"] for row in spark.sql(f"SHOW TBLPROPERTIES {name}").collect()}
    for verb in ("delete", "update", "merge"):
        assert said[f"write.{verb}.mode"] == "copy-on-write"
    assert said["format-version"] == "2"


def test_a_table_that_is_there_is_not_made_again(catalog: Catalog, name: TableName) -> None:
    catalog.create(name, {"id": "int"})
    with pytest.raises(SystemFailureError, match=f"creating {name.dotted}"):
        catalog.create(name, {"other": "int"})
    assert [field.name for field in catalog.get(name).fields] == ["id"]


def test_a_table_is_found_by_its_whole_name(catalog: Catalog, name: TableName) -> None:
    catalog.create(name, {"id": "int"})
    assert catalog.find(ops(name.table)) is None
    assert catalog.find(silver(name.table + "_2")) is None


def test_many_may_make_a_namespace_at_once(catalog: Catalog) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(catalog.ensure_namespace, [Layer.QUARANTINE] * 16))


def test_an_extended_table_has_its_new_columns_only_when_it_is_committed(catalog: Catalog, name: TableName) -> None:
    catalog.create(name, {"id": "int", "f": "float"})
    writing = catalog.extend(name, {"new": "string"}, {"id": "bigint", "f": "double"})
    assert {field.name: field.lake_type for field in catalog.get(name).fields} == {"id": "int", "f": "float"}
    head = writing.commit([], {"said": json.dumps("x")})
    found = catalog.get(name)
    assert {field.name: field.lake_type for field in found.fields} == {"id": "bigint", "f": "double", "new": "string"}
    assert found.head == head
    assert [field.identifier for field in found.fields] == [1, 2, 3]
