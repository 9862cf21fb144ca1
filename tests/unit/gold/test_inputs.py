"""Gold whose inputs and rows are the driver's affair is gold that Spark makes: the same rows, notes and recorded changes."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lakehouse.gold import write as gold_write
from lakehouse.gold.rebuild import to_gold
from lakehouse.iceberg.catalog import Catalog
from lakehouse.iceberg.consumed import Consumed
from lakehouse.iceberg.data_files import write
from lakehouse.iceberg.find_here import all_rows
from lakehouse.iceberg.lake import Lake
from lakehouse.iceberg.table import IcebergTable
from lakehouse.paths import gold, silver
from lakehouse.registry.transformers import Transformer

T0 = datetime(2023, 12, 31, 22, tzinfo=UTC)
LINES = {"id": "int", "at": "timestamp", "product": "string", "money": "decimal(10,2)"}
PRODUCTS = {"product": "string", "category": "string"}
Rows = Mapping[Any, Sequence[Any]]


def by_day(lines: DataFrame) -> DataFrame:
    return (
        lines.where("at IS NOT NULL")
        .groupBy(F.to_date("at").alias("day"))
        .agg(F.count("*").alias("n"), F.sum("money").alias("money"))
    )


def by_month(lines: DataFrame) -> DataFrame:
    month = F.expr("trunc(at, 'MM')").alias("month")
    return lines.where("at IS NOT NULL").groupBy(month).agg(F.max("id").alias("newest"), F.avg("money").alias("money"))


def by_product(lines: DataFrame, products: DataFrame) -> DataFrame:
    sold = lines.groupBy("product").agg(F.sum("money").alias("money")).where("product IS NOT NULL")
    return sold.join(products, on="product", how="left").select("product", "category", "money")


def lines_by_product(lines: DataFrame) -> DataFrame:
    """One row a line, in parts of which one is NULL."""
    return lines.select("id", "product", "money")


def all_there_is(lines: DataFrame, products: DataFrame) -> DataFrame:
    return (
        lines.join(products, on="product", how="left").groupBy(F.coalesce("category", F.lit("none")).alias("c")).count()
    )


class Shop:
    """Two silver tables, and what gold makes of them by the driver and by Spark."""

    def __init__(self, spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
        self.lake = Lake(spark, Catalog.of_session(spark)).in_a_session_of_its_own()
        self._monkeypatch = monkeypatch
        tag = uuid4().hex[:8]
        self.lines = self.lake.catalog.create(silver(f"lines_{tag}"), LINES)
        self.products = self.lake.catalog.create(silver(f"products_{tag}"), PRODUCTS)
        lines, products = {"lines": self.lines.name}, {"products": self.products.name}

        def transformer(table: str, function: Any, reads: Any, grain: tuple[str, ...], **more: Any) -> Transformer:
            return Transformer(f"{table}_{tag}", function, reads, grain, **more)

        self.transformers = [
            transformer("days", by_day, lines, ("day",), rebuild_by=("day",), narrows={"lines": ("to_date(at)",)}),
            transformer("months", by_month, lines, ("month",), rebuild_by=("month",), partition_by=("months(month)",),
                        narrows={"lines": ("trunc(at, 'MM')",)}),
            transformer("sold", by_product, lines | products, ("product",), rebuild_by=("product",),
                        narrows={"lines": ("product",), "products": ("product",)}),
            transformer("parted", lines_by_product, lines, ("id",), rebuild_by=("product",), partition_by=("product",),
                        narrows={"lines": ("product",)}),
            transformer("everything", all_there_is, lines | products, ("c",)),
        ]  # fmt: skip

    def holds(self, target: IcebergTable, rows: Rows, pieces: int) -> None:
        """Make ``rows`` the content of a silver table, in so many files."""
        schema, gone, written = target.arrow_schema(), [file.java for file in target.held_files()], []
        content = [dict(zip(schema.names, (key, *row), strict=True)) for key, row in rows.items()]
        for piece in range(pieces):
            place = target.new_file()
            file = write(place, pa.Table.from_pylist(content[piece::pieces], schema=schema).to_batches(), {})
            written += [file] if file else []
        target.exchange(gone, written, Consumed({}, "").properties("silver"))

    def make(self, run: str) -> dict[str, tuple[str, ...]]:
        """Bring gold up to date in both ways, which must agree; returns what was noted."""
        return {item.table.split("_")[0]: self._made(item, run) for item in self.transformers}

    def _made(self, transformer: Transformer, run: str) -> tuple[str, ...]:
        other = replace(transformer, table=f"spark_{transformer.table}")
        head, held = self._found(transformer)
        wrote: list[bool] = []
        with self._monkeypatch.context() as patched:
            write_here = gold_write._write_here

            def watched(*given: Any) -> int | None:
                snapshot = write_here(*given)
                wrote.append(snapshot is not None)
                return snapshot

            patched.setattr(gold_write, "_write_here", watched)
            done = to_gold(transformer, self.lake, {}, run_id=run)
            by_driver = wrote.copy()
            patched.setattr(gold_write, "_FEW_ROWS", -1)
            patched.setattr("lakehouse.gold.inputs._SMALL", -1)
            patched.setattr("lakehouse.gold.inputs.rows_of", lambda *_: None)
            expected = to_gold(other, self.lake, {}, run_id=run)
        assert (all(by_driver), any(wrote[len(by_driver) :])) == (True, False)
        assert done.notes == tuple(note for note in expected.notes if "by Spark" not in note)
        after, now = self._found(transformer)
        assert now == self._found(other)[1], transformer.table
        if head is not None and by_driver:
            recorded = self.lake.changes.known_between(self.lake.catalog.get(transformer.target), head, after or 0)
            assert recorded is not None
            assert told(recorded) == (held - now) + (now - held)
        return done.notes

    def _found(self, transformer: Transformer) -> tuple[int | None, Counter[str]]:
        """The head of the table, and its rows."""
        table = self.lake.catalog.find(transformer.target)
        if table is None:
            return None, Counter()
        return table.head, told(all_rows(table.held_files(), table.arrow_schema()))

    def drop(self) -> None:
        for name in (self.lines.name, self.products.name):
            self.lake.spark.sql(f"DROP TABLE IF EXISTS {name} PURGE")
        for item in self.transformers:
            for table in (item.table, f"spark_{item.table}"):
                self.lake.spark.sql(f"DROP TABLE IF EXISTS {gold(table)} PURGE")


def told(rows: pa.Table) -> Counter[str]:
    return Counter(map(repr, rows.to_pylist()))


@pytest.fixture
def shop(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    made = Shop(spark, monkeypatch)
    yield made
    made.drop()


def test_random_changes_of_all_inputs_come_to_the_same_gold(shop: Shop) -> None:
    """Parts of days, months, texts and NULL; partitions that are replaced; a table that is rebuilt whole."""
    random = Random(5)

    def line() -> list[Any]:
        at = T0 + timedelta(hours=random.randint(0, 24 * 70)) if random.random() < 0.9 else None
        return [at, random.choice(["a", "b", "c", "d", "unknown", None]), Decimal(random.randint(-500, 5000)) / 100]

    lines: dict[Any, list[Any]] = {number: line() for number in range(60)}
    products: dict[Any, list[Any]] = {"a": ["x"], "b": ["x"], "c": [None], "d": ["y"]}
    shop.holds(shop.lines, lines, 3)
    shop.holds(shop.products, products, 1)
    shop.make("run-1")
    for number, changes in enumerate((6, 1, 0), 2):
        for key in random.sample(sorted(lines), changes):
            lines.pop(key)
            lines[random.choice([key, 100 + key])] = line()
        if changes != 1:
            products["d"], products["e"] = [f"z{number}"], ["new"]
            shop.holds(shop.products, products, 1)
        if changes:
            shop.holds(shop.lines, lines, 2)
        notes = shop.make(f"run-{number}")
        assert notes["everything"] == ("rebuilt whole",)
        assert ["day rebuilt" in note for note in notes["days"]] == [True] * bool(changes)
    assert shop.make("run-5") == dict.fromkeys(["days", "months", "sold", "parted", "everything"], ())
