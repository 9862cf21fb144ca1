"""Connections of analysts: to the file of the last run, or to the REST catalog itself. Times are shown in UTC."""

from pathlib import Path

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from lakehouse.errors import ConfigurationError, suggest
from lakehouse.iceberg.metadata import LakeMetadata
from lakehouse.paths import Layer, TableName
from lakehouse.publish.duckdb_access import load_extensions, object_store_secret
from lakehouse.settings import Profile

_BEHIND = {layer.value for layer in Layer} - {Layer.GOLD.value}


def opened(profile: Profile) -> duckdb.DuckDBPyConnection:
    """The analysts' file of ``profile``, read-only, with access to its object store.

    Its tables are known by name alone and as ``gold.<table>``.

    Raises:
        ConfigurationError: no run has succeeded yet, so there is no file.
    """
    path = Path(profile.analytics)
    if not path.exists():
        raise ConfigurationError(
            f"there is no {path} yet; a run that succeeds makes it.", remedy="Run `lakehouse run` first."
        )
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"ATTACH {_literal(str(path))} AS gold (READ_ONLY)")
    connection.execute("USE gold")
    _give_access(connection, profile)
    return connection


def show_layers(connection: duckdb.DuckDBPyConnection, profile: Profile, query: str) -> None:
    """Make the tables behind gold that ``query`` names (``silver.users``) known to an opened ``connection``, as they
    are now.

    Raises:
        ConfigurationError: the lake has no such table.
    """
    wanted = _behind_gold(query)
    if not wanted:
        return
    lake = LakeMetadata(profile)
    load_extensions(connection, "avro", "iceberg")
    for name in wanted:
        held = lake.find(name)
        if held is None:
            known = [table.dotted for table in lake.tables(name.layer)]
            raise ConfigurationError(f"the lake has no table {name.dotted!r}. {suggest(name.dotted, known)}")
        file = _literal(held.metadata_file.removeprefix("file:"))
        connection.execute(f"ATTACH IF NOT EXISTS ':memory:' AS {name.layer}")
        connection.execute(f'CREATE OR REPLACE VIEW {name.layer}."{name.table}" AS SELECT * FROM iceberg_scan({file})')


def attached(profile: Profile) -> duckdb.DuckDBPyConnection:
    """A connection with the profile's REST catalog attached as ``lake``: ``lake.gold.<table>``.

    Raises:
        ConfigurationError: the profile's catalog is not a REST catalog.
    """
    properties = profile.catalog_properties()
    if properties.get("type") != "rest":
        raise ConfigurationError(
            f"profile {profile.name!r} has a catalog of type {properties.get('type')!r}; DuckDB "
            "attaches REST catalogs only.",
            remedy="Open the analysts' file instead.",
        )
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    _give_access(connection, profile, always=True)
    load_extensions(connection, "avro", "iceberg")
    endpoint = properties["uri"].replace("'", "''")
    authorization = _authorization(properties)
    connection.execute(
        f"ATTACH '{properties.get('prefix', '')}' AS lake (TYPE iceberg, ENDPOINT '{endpoint}', "
        f"{authorization}, ACCESS_DELEGATION_MODE 'none')"
    )
    return connection


def _authorization(properties: dict[str, str]) -> str:
    if token := properties.get("token"):
        return f"TOKEN '{token}'"
    if credential := properties.get("credential"):
        client, _, secret = credential.partition(":")
        server = properties.get("oauth2-server-uri", f"{properties['uri']}/v1/oauth/tokens")
        return f"CLIENT_ID '{client}', CLIENT_SECRET '{secret}', OAUTH2_SERVER_URI '{server}'"
    return "AUTHORIZATION_TYPE 'none'"


def _give_access(connection: duckdb.DuckDBPyConnection, profile: Profile, *, always: bool = False) -> None:
    secret = object_store_secret(profile.catalog_properties())
    if secret is not None or always:
        load_extensions(connection, "httpfs")
    if secret is not None:
        connection.execute(secret)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _behind_gold(query: str) -> list[TableName]:
    """The tables of other layers that ``query`` names; what sqlglot cannot read names none, and DuckDB says why."""
    try:
        tables = [
            table for part in sqlglot.parse(query, dialect="duckdb") if part for table in part.find_all(exp.Table)
        ]
    except SqlglotError:
        return []
    named = {(table.db.lower(), table.name.lower()) for table in tables if not table.catalog}
    return [TableName(Layer(layer), table) for layer, table in sorted(named) if layer in _BEHIND]
