"""Connections of analysts: to the file of the last run, or to the REST catalog itself."""

from pathlib import Path

import duckdb

from lakehouse.analytics.extensions import load_extensions, object_store_secret
from lakehouse.errors import ConfigurationError
from lakehouse.settings import Profile


def opened(profile: Profile) -> duckdb.DuckDBPyConnection:
    """The analysts' file of ``profile``, read-only, with access to its object store.

    Raises:
        ConfigurationError: no run has succeeded yet, so there is no file.
    """
    path = Path(profile.analytics)
    if not path.exists():
        raise ConfigurationError(
            f"there is no {path} yet; a run that succeeds makes it.", remedy="Run scripts/run_pipeline.py first."
        )
    connection = duckdb.connect(str(path), read_only=True)
    _give_access(connection, profile)
    return connection


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
