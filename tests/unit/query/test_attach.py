"""What `lakehouse sql` shows: gold by name, and the tables behind it by layer, as they are now."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from pyspark.sql import SparkSession

from lakehouse.errors import ConfigurationError
from lakehouse.iceberg.table import Catalog
from lakehouse.paths import gold, silver
from lakehouse.publish import duckdb_file
from lakehouse.query.attach import opened, show_layers
from lakehouse.settings import Profile
from lakehouse.testing import local_frame

AT = datetime(2026, 1, 1, 23, tzinfo=UTC)


@pytest.fixture(scope="module")
def shown(profile: Profile, spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Profile:
    """A profile whose lake has one row in ``gold.shown`` and one in ``silver.shown``."""
    own = profile.model_copy(update={"analytics": tmp_path_factory.mktemp("own's") / "analytics.duckdb"})
    catalog = Catalog(spark)
    for name in (gold("shown"), silver("shown")):
        catalog.create(name, {"id": "int", "moment": "timestamp"})
        local_frame(spark, [(1, AT)], "id int, moment timestamp").writeTo(str(name)).append()
    view = duckdb_file.View.of(catalog.get(gold("shown")))
    duckdb_file.write(Path(own.analytics), [view], own.catalog_properties())
    return own


@pytest.fixture
def connection(shown: Profile) -> Iterator[duckdb.DuckDBPyConnection]:
    with opened(shown) as found:
        yield found


@pytest.mark.parametrize(
    "query",
    [
        "FROM shown",
        "SELECT * FROM gold.shown",
        'SELECT shown.* FROM "silver"."Shown" AS shown',
        "SELECT * FROM shown JOIN silver.shown AS s USING (id, moment) WHERE EXISTS (FROM silver.shown)",
    ],
)
def test_gold_and_what_is_behind_it_are_read_alike(
    connection: duckdb.DuckDBPyConnection, shown: Profile, query: str
) -> None:
    show_layers(connection, shown, query)
    assert connection.execute(query).fetchall() == [(1, AT)]


def test_times_are_shown_in_utc(connection: duckdb.DuckDBPyConnection) -> None:
    assert connection.execute("SELECT moment::date::text FROM shown").fetchall() == [("2026-01-01",)]
    assert connection.execute("SELECT current_setting('TimeZone')").fetchall() == [("UTC",)]


def test_a_table_that_is_not_there_is_named(connection: duckdb.DuckDBPyConnection, shown: Profile) -> None:
    with pytest.raises(ConfigurationError, match=r"the lake has no table 'silver.shwn'. Did you mean 'silver.shown'\?"):
        show_layers(connection, shown, "FROM silver.shwn")


def test_what_is_no_query_is_left_to_duckdb(connection: duckdb.DuckDBPyConnection, shown: Profile) -> None:
    show_layers(connection, shown, "selec silver.shown")


def test_gold_is_not_written_to(connection: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(duckdb.InvalidInputException, match="read-only"):
        connection.execute("CREATE TABLE other (id int)")
