"""Connections of analysts: to the file of the last run, or to the REST catalog itself. Times are shown in UTC."""

from collections.abc import Mapping
from pathlib import Path

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from lakehouse.errors import ConfigurationError, suggest
from lakehouse.iceberg.metadata import LakeMetadata
from lakehouse.paths import Layer, TableName, silver
from lakehouse.publish.duckdb_access import execute_hidden, give_access, load_extensions
from lakehouse.quoting.duckdb import identifier, literal
from lakehouse.settings import Profile

#: The columns of a quarantine table, and DuckDB's types of them.
QUARANTINE = {
    **dict.fromkeys(("key", "rule", "reason", "run_id"), "VARCHAR"),
    "rejected_at": "TIMESTAMPTZ",
    "row": "VARCHAR",
}
_BEHIND = {layer.value for layer in Layer} - {Layer.GOLD.value, Layer.MODEL.value}


def opened(profile: Profile, query: str = "") -> duckdb.DuckDBPyConnection:
    """The analysts' file of ``profile``, read-only, with access to its object store.

    Its tables are known by name alone and as ``gold.<table>``. Where no run has succeeded yet there is none, and then only the
    tables behind gold that ``query`` names can be asked.

    Raises:
        ConfigurationError: there is no file, and ``query`` names no table behind gold.
    """
    path = Path(profile.analytics)
    if not path.exists() and not _behind_gold(query):
        raise ConfigurationError(
            f"there is no {path} yet; a run that succeeds makes it.", remedy="Run `lakehouse run` first."
        )
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(
        f"ATTACH {literal(str(path))} AS gold (READ_ONLY)" if path.exists() else "ATTACH ':memory:' AS gold"
    )
    connection.execute("USE gold")
    give_access(connection, profile.catalog_properties())
    return connection


def show_layers(connection: duckdb.DuckDBPyConnection, profile: Profile, query: str) -> None:
    """Make the tables behind gold that ``query`` names (``silver.coupons``) known to an opened ``connection``, as they
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
        metadata = lake.find(name)
        connection.execute(f"ATTACH IF NOT EXISTS ':memory:' AS {identifier(name.layer)}")
        view = f"CREATE OR REPLACE VIEW {identifier(name.layer)}.{identifier(name.table)} AS SELECT"
        if metadata is None and name.layer is Layer.QUARANTINE and lake.find(silver(name.table)) is not None:
            nothing = ", ".join(f"NULL::{kind} AS {column}" for column, kind in QUARANTINE.items())
            connection.execute(f"{view} {nothing} WHERE false")  # its table comes with the first row that is rejected
            continue
        if metadata is None:
            known = [table.dotted for table in lake.tables(name.layer)]
            raise ConfigurationError(f"the lake has no table {name.dotted!r}. {suggest(name.dotted, known)}")
        file = literal(metadata.metadata_file.removeprefix("file:"))
        connection.execute(f"{view} * FROM iceberg_scan({file})")


def attached(profile: Profile) -> duckdb.DuckDBPyConnection:
    """A connection with the profile's REST catalog attached as ``lake``: ``lake.gold.<table>``.

    Raises:
        ConfigurationError: the profile's catalog is not a REST catalog.
        SystemFailureError: the catalog refuses or does not answer; the message holds no secret.
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
    load_extensions(connection, "httpfs", "avro", "iceberg")
    give_access(connection, properties)
    secrets = [properties.get("token", ""), *properties.get("credential", "").partition(":")]
    execute_hidden(connection, attach_statement(properties), f"attaching the catalog {properties['uri']}", secrets)
    return connection


def attach_statement(catalog: Mapping[str, str]) -> str:
    """SQL that attaches the REST catalog with these properties as ``lake``, its credentials included."""
    options = {
        "TYPE": "iceberg",
        "ENDPOINT": literal(catalog["uri"]),
        **_authorization(catalog),
        "ACCESS_DELEGATION_MODE": literal("none"),
    }
    listed = ", ".join(f"{key} {value}" for key, value in options.items())
    return f"ATTACH {literal(catalog.get('prefix', ''))} AS lake ({listed})"


def _authorization(catalog: Mapping[str, str]) -> dict[str, str]:
    if token := catalog.get("token"):
        return {"TOKEN": literal(token)}
    if credential := catalog.get("credential"):
        client, _, secret = credential.partition(":")
        server = catalog.get("oauth2-server-uri", f"{catalog['uri']}/v1/oauth/tokens")
        return {
            "CLIENT_ID": literal(client),
            "CLIENT_SECRET": literal(secret),
            "OAUTH2_SERVER_URI": literal(server),
        }
    return {"AUTHORIZATION_TYPE": literal("none")}


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
