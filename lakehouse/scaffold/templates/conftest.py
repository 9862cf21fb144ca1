"""The fixtures ``transform`` and ``assert_rows`` of the engine: rows in, rows out."""

pytest_plugins = ["lakehouse.testing"]
