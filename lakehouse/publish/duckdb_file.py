"""The analysts' file: a DuckDB database with a view for each gold table, pinned to the files of its snapshot.

It is written beside the old one and takes its place by rename, so that whoever opens it meets a whole run.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from lakehouse.errors import SystemFailureError
from lakehouse.iceberg.table import IcebergTable
from lakehouse.publish.duckdb_access import give_access
from lakehouse.quoting.duckdb import identifier, literal

_DUCKDB_TYPES = {"string": "VARCHAR", "binary": "BLOB", "timestamp": "TIMESTAMPTZ", "int": "INTEGER"}


@dataclass(frozen=True)
class View:
    """A view of the analysts' file: a table's columns (name to Spark SQL type), data files and number of rows."""

    name: str
    columns: Mapping[str, str]
    files: tuple[str, ...]
    rows: int

    @classmethod
    def of(cls, table: IcebergTable) -> "View":
        columns = {field.name: field.lake_type for field in table.fields}
        return cls(table.name.table, columns, tuple(table.data_file_paths()), table.row_count)

    def sql(self) -> str:
        """The SELECT of the view."""
        if not self.files:
            nothing = ", ".join(
                f"NULL::{_DUCKDB_TYPES.get(kind, kind)} AS {identifier(name)}" for name, kind in self.columns.items()
            )
            return f"SELECT {nothing} WHERE false"
        names = ", ".join(map(identifier, self.columns))
        files = ", ".join(literal(file.removeprefix("file:")) for file in self.files)
        return f"SELECT {names} FROM read_parquet([{files}], hive_partitioning = false, union_by_name = true)"


def write(path: Path, views: Iterable[View], catalog: Mapping[str, str]) -> None:
    """Make the file at ``path`` anew with ``views``, and check that each shows as many rows as its table has.

    Args:
        catalog: the profile's catalog properties; the object store's credentials are used, and not kept in the file.

    Raises:
        SystemFailureError: DuckDB cannot read the tables, or reads another number of rows; the old file stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    try:
        with duckdb.connect() as connection:
            give_access(connection, catalog)
            connection.execute(f"ATTACH {literal(str(fresh))} AS fresh (STORAGE_VERSION 'v1.0.0')")
            connection.execute("USE fresh")
            for view in views:
                connection.execute(f"CREATE VIEW {identifier(view.name)} AS {view.sql()}")
                found = connection.execute(f"SELECT count(*) FROM {identifier(view.name)}").fetchone()
                if found != (view.rows,):
                    raise SystemFailureError(
                        f"handing gold table {view.name} to DuckDB: it reads {found}, expected "
                        f"{view.rows} rows as Iceberg says.",
                        remedy="The old file stays. Please report this.",
                    )
        fresh.replace(path)
    except duckdb.Error as error:
        raise SystemFailureError(f"writing {path}: DuckDB failed: {error}.", remedy="The old file stays.") from error
    finally:
        fresh.unlink(missing_ok=True)
