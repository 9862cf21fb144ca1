"""A release: what analysts see, changed at once. The one place that writes the analysts' file."""

from pathlib import Path

from lakehouse.iceberg.lake import Lake
from lakehouse.iceberg.table import IcebergTable
from lakehouse.publish import duckdb_file
from lakehouse.registry.loader import Registry
from lakehouse.settings import Profile


def made_gold(registry: Registry, lake: Lake) -> list[IcebergTable]:
    """The gold tables of ``registry`` that a run has made; one that none has made yet holds nothing back."""
    found = (lake.catalog.find(transformer.target) for transformer in registry.transformers.values())
    return [table for table in found if table is not None]


def release(registry: Registry, lake: Lake, profile: Profile) -> Path:
    """Make the profile's analysts' file anew, with a view for each gold table as it is now; returns where it is.

    Whether gold is fit to be seen is for the caller to know.

    Raises:
        SystemFailureError: DuckDB cannot read a table, or reads another number of rows; the old file stays.
    """
    views = [duckdb_file.View.of(table) for table in made_gold(registry, lake)]
    duckdb_file.write(profile.analytics, views, profile.catalog_properties())
    return profile.analytics
