"""dlt with its connectorx backend, into an Iceberg table in a folder. Runs in the benchmark's own environment."""

import os
import sys
from pathlib import Path

import dlt
from dlt.sources.sql_database import sql_table

if __name__ == "__main__":
    uri, table, folder = sys.argv[1:4]
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    pipeline = dlt.pipeline(
        pipeline_name="bench",
        pipelines_dir=f"{folder}/pipelines",
        destination=dlt.destinations.filesystem(Path(folder, "lake").as_uri()),
        dataset_name="raw",
    )
    rows = sql_table(credentials=uri, table=table, backend="connectorx", reflection_level="full")
    rows.apply_hints(table_format="iceberg")
    pipeline.run(rows, loader_file_format="parquet", write_disposition="replace")
