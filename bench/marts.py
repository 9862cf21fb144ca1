"""What is made beside this project by other means: the shop's tables, and its marts by one set of queries in plain SQL.

The queries run in Spark and, with a few macros, in DuckDB. What they leave out: dimensions without versions (as most people
have them), and the keys that point to versions.
"""

import json
from pathlib import Path

from lakehouse.registry import loader
from scripts.demo_data.ecommerce.generator import CHANGED_AT
from scripts.services.settings import ROOT

_QUERIES = ROOT / "bench" / "sql"

#: In the order in which they are made: each reads silver and what stands before it.
MARTS = (
    "dim_carrier",
    "dim_category",
    "dim_customer",
    "dim_date",
    "dim_product",
    "dim_warehouse",
    "fct_order_items",
    "fct_payments",
    "fct_refunds",
    "fct_returns",
    "fct_shipments",
    "fct_stock_daily",
    "sales_by_day",
    "sales_daily",
    "customer_360",
    "customer_retention_monthly",
    "logistics_performance",
    "inventory_health",
)

#: What Spark's SQL has and DuckDB calls otherwise, so that the marts' queries run in both.
MACROS = (
    "explode(items) AS unnest(items)",
    "sequence(low, high) AS CAST(generate_series(low, high) AS INTEGER[])",
    "datediff(later, earlier) AS date_diff('day', earlier, later)",
    "unix_micros(moment) AS epoch_us(moment)",
)


def query(mart: str) -> str:
    """The SELECT that makes ``mart``, over schemas `silver` and `gold`."""
    return (_QUERIES / f"{mart}.sql").read_text(encoding="utf-8")


def write_task(path: Path) -> None:
    """Write what a day's job by other means has to do, as JSON.

    ``tables`` has the source's name, its key, the column by which a change is found, and Iceberg's partitioning;
    ``marts`` has pairs of a name and a query, in their order; ``macros`` are for DuckDB.
    """
    contracts = {
        table.source.relation.removeprefix("shop."): table
        for table in loader.load(ROOT / "registry").tables.values()
        if table.source.relation.startswith("shop.")
    }
    tables = {
        name: {"key": contracts[name].key, "changed_at": column, "partition_by": contracts[name].partition_by}
        for name, column in CHANGED_AT.items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"tables": tables, "marts": [(name, query(name)) for name in MARTS], "macros": MACROS}))
