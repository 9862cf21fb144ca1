"""The names that a query may use: tables of gold and behind it, and their columns."""

import re

import duckdb

from lakehouse.errors import LakehouseError
from lakehouse.iceberg.metadata import LakeMetadata
from lakehouse.paths import Layer, TableName

_COLUMNS = """
SELECT if(database_name = 'gold', table_name, concat_ws('.', database_name, schema_name, table_name)),
       list(column_name ORDER BY column_index)
  FROM duckdb_columns() WHERE NOT internal GROUP BY 1
"""
_TABLE = re.compile(r"\w+(?:\.\w+)*")
_SHOWN = (Layer.SILVER, Layer.QUARANTINE, Layer.RAW, Layer.OPS)


class Names:
    """What an analyst's connection knows, and the tables of the lake behind it.

    Args:
        connection: one of :mod:`lakehouse.query.attach`.
        lake: what is behind gold; ``None`` where nothing is.

    Attributes:
        tables: those of the analysts' file by name, those of an attached catalog and those behind gold with their layer.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, lake: LakeMetadata | None) -> None:
        self._columns: dict[str, list[str]] = dict(connection.execute(_COLUMNS).fetchall())
        self._lake = lake
        behind = [name.dotted for layer in _SHOWN for name in lake.tables(layer)] if lake is not None else []
        self.tables = sorted(self._columns) + behind

    def columns(self, query: str) -> list[str]:
        """The columns of the tables that ``query`` names; those of all gold tables where it names none."""
        named = {name.lower() for name in _TABLE.findall(query)}
        tables = [table for table in self.tables if {table, f"gold.{table}"} & named] or list(self._columns)
        return sorted({column for table in tables for column in self._of(table)})

    def _of(self, table: str) -> list[str]:
        if table not in self._columns and self._lake is not None:
            try:
                metadata = self._lake.find(TableName.parse(table))
            except LakehouseError:  # a hint is not worth an error
                return []
            self._columns[table] = list(metadata.columns) if metadata else []
        return self._columns[table]
