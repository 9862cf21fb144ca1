"""What `lakehouse sql` shows: gold by name, the tables behind it by layer, as they are now, and a REST catalog."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pydantic import SecretStr
from pyspark.sql import SparkSession

from lakehouse.errors import ConfigurationError, SystemFailureError
from lakehouse.iceberg.catalog import Catalog
from lakehouse.paths import gold, silver
from lakehouse.publish import duckdb_file
from lakehouse.query.attach import QUARANTINE, attach_statement, attached, opened, show_layers
from lakehouse.settings import Profile
from lakehouse.silver.quarantine import COLUMNS
from lakehouse.testing import local_frame

AT = datetime(2026, 1, 1, 23, tzinfo=UTC)
URI = "http://127.0.0.1:9/o'brien"


@pytest.fixture(scope="module")
def shown(profile: Profile, spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Profile:
    """A profile whose lake has one row in ``gold.shown`` and one in ``silver.shown``."""
    own = profile.model_copy(update={"analytics": tmp_path_factory.mktemp("own's") / "analytics.duckdb"})
    catalog = Catalog.of_session(spark)
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


def test_a_quarantine_that_holds_nothing_yet_is_empty_and_not_missing(
    connection: duckdb.DuckDBPyConnection, shown: Profile
) -> None:
    query = "SELECT count(*), count(reason) FROM quarantine.shown"
    show_layers(connection, shown, query)
    assert connection.execute(query).fetchall() == [(0, 0)]
    assert list(QUARANTINE) == list(COLUMNS)
    with pytest.raises(ConfigurationError, match=r"the lake has no table 'quarantine\.other'"):
        show_layers(connection, shown, "FROM quarantine.other")


def test_before_a_run_succeeded_what_is_behind_gold_can_be_asked(shown: Profile, tmp_path: Path) -> None:
    own = shown.model_copy(update={"analytics": tmp_path / "none.duckdb"})
    with opened(own, "FROM silver.shown") as found:
        show_layers(found, own, "FROM silver.shown")
        assert found.execute("FROM silver.shown").fetchall() == [(1, AT)]
    with pytest.raises(ConfigurationError, match="a run that succeeds makes it"):
        opened(own, "FROM shown")


def test_what_is_no_query_is_left_to_duckdb(connection: duckdb.DuckDBPyConnection, shown: Profile) -> None:
    show_layers(connection, shown, "selec silver.shown")


def test_gold_is_not_written_to(connection: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(duckdb.InvalidInputException, match="read-only"):
        connection.execute("CREATE TABLE other (id int)")


def profile_of(profile: Profile, **catalog: Any) -> Profile:
    return profile.model_copy(update={"catalog": {"type": "rest", "uri": URI, **catalog}})


@pytest.mark.parametrize(
    ("catalog", "expected"),
    [
        ({"token": "to'ken"}, "TOKEN 'to''ken'"),
        ({"credential": "us'er:se'c:ret"}, "CLIENT_ID 'us''er', CLIENT_SECRET 'se''c:ret'"),
        ({"credential": "a:b"}, "OAUTH2_SERVER_URI 'http://127.0.0.1:9/o''brien/v1/oauth/tokens'"),
        ({"credential": "a:b", "oauth2-server-uri": "http://x/'"}, "OAUTH2_SERVER_URI 'http://x/'''"),
        ({"prefix": "ware'house"}, "ATTACH 'ware''house' AS lake"),
        ({}, "ENDPOINT 'http://127.0.0.1:9/o''brien', AUTHORIZATION_TYPE 'none'"),
    ],
)
def test_each_value_is_escaped(catalog: dict[str, str], expected: str) -> None:
    statement = attach_statement({"uri": URI, **catalog})
    assert expected in statement
    assert len(duckdb.extract_statements(statement)) == 1


@pytest.mark.parametrize("catalog", [{"token": "to'ken-of-mine"}, {"credential": "us'er:se'cret-of-mine"}])
def test_a_catalog_that_does_not_answer_is_named_without_its_secrets(profile: Profile, catalog: dict[str, str]) -> None:
    hidden = {name: SecretStr(value) for name, value in catalog.items()}
    with pytest.raises(SystemFailureError, match=rf"attaching the catalog {URI}: DuckDB") as caught:
        attached(profile_of(profile, **hidden))
    assert "of-mine" not in str(caught.value)


def test_a_catalog_that_is_no_rest_catalog_is_refused(profile: Profile) -> None:
    with pytest.raises(ConfigurationError, match="has a catalog of type 'jdbc'; DuckDB attaches REST catalogs only"):
        attached(profile)
