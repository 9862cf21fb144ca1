"""DuckDB extensions from their wheels, so that nothing is downloaded at run time, and access to the object store.

DuckDB takes credentials in the text of a statement only, and its errors may quote that text: such a statement goes through
:func:`execute_hidden`.
"""

import importlib.util
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import urlparse

import duckdb

from lakehouse.errors import SystemFailureError
from lakehouse.logs import Redaction
from lakehouse.quoting.duckdb import literal


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
        connection.execute(f"LOAD {literal(str(files[0]))}")


def give_access(connection: duckdb.DuckDBPyConnection, catalog: Mapping[str, str]) -> None:
    """Let ``connection`` read the object store of the catalog with these properties; nothing for a local warehouse.

    Raises:
        SystemFailureError: DuckDB refuses the credentials' statement; the message holds no secret.
    """
    statement = object_store_secret(catalog)
    if statement is not None:
        load_extensions(connection, "httpfs")
        hidden = [catalog["s3.access-key-id"], catalog["s3.secret-access-key"]]
        execute_hidden(connection, statement, "giving DuckDB access to the object store", hidden)


def object_store_secret(catalog: Mapping[str, str]) -> str | None:
    """SQL that gives a DuckDB connection access to the catalog's S3 store; ``None`` for a local warehouse."""
    if "s3.access-key-id" not in catalog:
        return None
    options = {
        "TYPE": "s3",
        "KEY_ID": literal(catalog["s3.access-key-id"]),
        "SECRET": literal(catalog["s3.secret-access-key"]),
        "REGION": literal(catalog.get("client.region", "us-east-1")),
    }
    if endpoint := catalog.get("s3.endpoint"):
        parts = urlparse(endpoint)
        options |= {"ENDPOINT": literal(parts.netloc), "USE_SSL": str(parts.scheme == "https").lower()}
    if catalog.get("s3.path-style-access") == "true":
        options["URL_STYLE"] = literal("path")
    return f"CREATE OR REPLACE SECRET lakehouse ({', '.join(f'{key} {value}' for key, value in options.items())})"


def execute_hidden(connection: duckdb.DuckDBPyConnection, statement: str, doing: str, secrets: Iterable[str]) -> None:
    """Execute ``statement``, which holds ``secrets``, so that no error shows one of them, traceback included.

    Args:
        doing: what it is for, for the error.

    Raises:
        SystemFailureError: DuckDB refuses it. What it says is told without the secrets and without its excerpt of the
            statement; where it cannot parse that, nothing is told, since any part of it may be shown.
    """
    shown = Redaction(form for secret in secrets for form in (secret, literal(secret)[1:-1])).text
    try:
        connection.execute(statement)
    except duckdb.ParserException:
        said = "it cannot parse the statement, which holds credentials and is not shown"
    except duckdb.Error as error:
        said = str(error).partition("\n\nLINE ")[0].rstrip(".")  # then comes an excerpt, which may cut a secret in two
    else:
        return
    raise SystemFailureError(
        shown(f"{doing}: DuckDB failed: {said}."),
        remedy="Check `catalog:` in the profile, and that its server answers.",
    )
