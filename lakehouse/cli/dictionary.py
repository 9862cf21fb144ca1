"""`lakehouse dictionary`: the data dictionary, from the registry and the lake's metadata."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from pyspark.sql import SparkSession

from lakehouse.cli.options import ProfileName
from lakehouse.cli.terminal import ERRORS
from lakehouse.iceberg.metadata import LakeMetadata
from lakehouse.lineage.page import page
from lakehouse.lineage.trace import trace
from lakehouse.registry import loader
from lakehouse.settings import load_profile


def dictionary(
    output: Annotated[Path, typer.Option("--output", "-o", help="The page to write.")] = Path("docs/dictionary.md"),
    profile: ProfileName = None,
) -> None:
    """Write the data dictionary: what each column of silver and gold means, and where gold's come from."""
    settings = load_profile(profile)
    registry, lake = loader.load(settings.registry), LakeMetadata(settings)
    with _session() as spark:
        traced = trace(registry, lake, settings.parameters, spark)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(page(registry, lake, traced), encoding="utf-8")
    ERRORS.print(f"wrote {output}: the lineage of {len(traced.tables)} gold tables", highlight=False)
    for table, why in traced.unknown.items():
        ERRORS.print(f"  not of {table}: {why}", markup=False, highlight=False, soft_wrap=True)


@contextmanager
def _session() -> Iterator[SparkSession]:
    """A Spark that only analyses plans: no catalog, no executor but itself."""
    with TemporaryDirectory() as folder:
        builder = SparkSession.builder.master("local[1]").appName("dictionary")
        settings = {
            "spark.ui.enabled": "false",
            "spark.log.level": "ERROR",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.sql.session.timeZone": "UTC",
            "spark.sql.warehouse.dir": folder,
        }
        for name, value in settings.items():
            builder = builder.config(name, value)
        session = builder.getOrCreate()
        # what cannot be traced is said once, at the end
        logging.getLogger("DataFrameQueryContextLogger").setLevel(logging.CRITICAL)
        try:
            yield session
        finally:
            session.stop()
