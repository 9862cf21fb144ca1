"""The data dictionary of a small registry."""

from pyspark.sql import SparkSession

from lakehouse.iceberg.metadata import LakeMetadata
from lakehouse.lineage.page import page
from lakehouse.lineage.trace import Traced, trace
from lakehouse.registry import loader
from lakehouse.registry.loader import Registry


def test_the_page_says_what_each_column_is(registry: Registry, lake: LakeMetadata, traced: Traced) -> None:
    text = page(registry, lake, traced)
    for line in (
        "  - gold: [best](#goldbest), [daily](#golddaily)",
        "- **Rebuilt**: in part, by day, where rows of silver.orders changed",
        "- **Which rows there are** depends on: `silver.orders.at`, `silver.orders.buyer`",
        "| `day` | date | Day of the order \\| UTC. | `silver.orders.at` | `app shop.orders.at` |",
        "| `buyer` | string | Who bought. | pseudonymise |  | `Buyer No` |",
        "| `amount` | decimal(9,2) |  |  | required, amount_positive | `amount` |",
        "- **Checks**: `amount_positive`: Nothing is given away. (reject)",
    ):
        assert line in text.splitlines()
    assert text.count("### ") == 4


def test_a_table_whose_plan_cannot_be_made_says_why(
    registry: Registry, lake: LakeMetadata, spark: SparkSession
) -> None:
    (registry.folder / "shop" / "odd.sql").write_text("SELECT nothing_like_it FROM silver.orders")
    again = loader.load(registry.folder)
    traced = trace(again, lake, {}, spark)
    assert "nothing_like_it" in traced.unknown["odd"]
    assert "**Lineage not known**" in page(again, lake, traced)
