"""Partition fields as the registry spells them, as Iceberg has them, and what a change of them does."""

import pytest
from pyspark.sql import SparkSession

from lakehouse.errors import ConfigurationError
from lakehouse.iceberg.catalog import Catalog
from lakehouse.iceberg.partitioning import alike, normal, parse_partition, spelled
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
