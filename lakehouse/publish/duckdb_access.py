"""DuckDB extensions from their wheels, so that nothing is downloaded at run time, and access to the object store."""

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlparse

import duckdb

from lakehouse.errors import SystemFailureError


def load_extensions(connection: duckdb.DuckDBPyConnection, *names: str) -> None:
    """Load extensions (``httpfs``, ``avro``, ``iceberg``, in the order in which they need each other)."""
    for name in names:
        spec = importlib.util.find_spec(f"duckdb_extension_{name}")
        folders = list(spec.submodule_search_locations or ()) if spec else []
        files = [file for folder in folders for file in sorted(Path(folder).rglob("*.duckdb_extension"))]
        if not files:
            raise SystemFailureError(
                f"DuckDB's extension {name!r} is not installed.", remedy=f"Install the package duckdb-extension-{name}."
            )
        connection.execute(f"LOAD '{files[0]}'")


def object_store_secret(catalog: Mapping[str, str]) -> str | None:
    """SQL that gives a DuckDB connection access to the catalog's S3 store; ``None`` for a local warehouse."""
    if "s3.access-key-id" not in catalog:
        return None
    options = {
        "TYPE": "s3",
        "KEY_ID": _quoted(catalog["s3.access-key-id"]),
        "SECRET": _quoted(catalog["s3.secret-access-key"]),
        "REGION": _quoted(catalog.get("client.region", "us-east-1")),
    }
    if endpoint := catalog.get("s3.endpoint"):
        parts = urlparse(endpoint)
        options |= {"ENDPOINT": _quoted(parts.netloc), "USE_SSL": str(parts.scheme == "https").lower()}
    if catalog.get("s3.path-style-access") == "true":
        options["URL_STYLE"] = "'path'"
    return f"CREATE OR REPLACE SECRET lakehouse ({', '.join(f'{key} {value}' for key, value in options.items())})"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
