"""What changed between two snapshots, held against the snapshots themselves."""

from collections import Counter
from collections.abc import Iterator

import pytest
from pyspark.sql import DataFrame, Row, SparkSession

from lakehouse.iceberg import changes
from lakehouse.iceberg.catalog import Catalog
from lakehouse.iceberg.changes import Changes, changed_rows
from lakehouse.iceberg.table import IcebergTable
from lakehouse.paths import silver

COLUMNS = "id int, a string, b string, amount double"
STEPS = [
    "INSERT INTO {t} VALUES (1, 'x', NULL, 1.0), (2, 'y', 'y', NULL), (2, 'y', 'y', NULL), (3, NULL, 'z', 0.5)",
    "UPDATE {t} SET a = NULL, b = 'x' WHERE id = 1",  # the same values in other places
    "INSERT INTO {t} VALUES (4, 'new', NULL, 2.0), (5, 'here', 'and gone', 3.0)",
    "DELETE FROM {t} WHERE id IN (3, 5)",
    "UPDATE {t} SET amount = 9 WHERE id = 4",
    "UPDATE {t} SET amount = 2 WHERE id = 4",
]


@pytest.fixture(scope="module")
def table(spark: SparkSession) -> Iterator[IcebergTable]:
    catalog = Catalog.of_session(spark)
    made = catalog.create(silver("changes_test"), dict(column.split(" ") for column in COLUMNS.split(", ")))
    for step in STEPS:
        spark.sql(step.format(t=made.name))
    made.refresh()
    yield made
    spark.sql(f"DROP TABLE {made.name} PURGE")


def counted(rows: DataFrame) -> Counter[Row]:
    return Counter(rows.collect())


@pytest.fixture(scope="module")
def snapshots(spark: SparkSession, table: IcebergTable) -> dict[int, Counter[Row]]:
    """What each snapshot holds."""
    heads = [info.identifier for info in table.history()]
    return {head: counted(spark.read.option("versionAsOf", head).table(str(table.name))) for head in heads}


def expected(snapshots: dict[int, Counter[Row]], after: int, until: int) -> set[Row]:
    """What one of the two snapshots has more often than the other."""
    before, now = snapshots[after], snapshots[until]
    return {*(before - now), *(now - before)}


@pytest.mark.parametrize("long", [10**6, 0], ids=["compared in full", "narrowed by digests"])
def test_changes_between_any_two_snapshots_are_what_the_snapshots_differ_by(
    spark: SparkSession,
    table: IcebergTable,
    snapshots: dict[int, Counter[Row]],
    long: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(changes, "_LONG", long)
    heads = [info.identifier for info in table.history()]
    for newer, until in enumerate(heads[:3]):
        for after in heads[newer + 1 :: 2]:
            found = counted(changed_rows(spark, table, after, until))
            assert set(found) == expected(snapshots, after, until)
            assert set(found.values()) <= {1}


def test_few_changes_are_asked_for_once_and_many_each_time(
    spark: SparkSession, table: IcebergTable, snapshots: dict[int, Counter[Row]], monkeypatch: pytest.MonkeyPatch
) -> None:
    heads = [info.identifier for info in table.history()]
    first, last = heads[-1], heads[0]
    asked: list[tuple[int, int]] = []
    real = changes.changed_rows

    def counting(spark: SparkSession, table: IcebergTable, after: int, until: int) -> DataFrame:
        asked.append((after, until))
        return real(spark, table, after, until)

    monkeypatch.setattr(changes, "changed_rows", counting)
    known = Changes()
    answers = [counted(known.between(spark.newSession(), table, first, last)) for _ in range(2)]
    assert set(answers[0]) == set(answers[1]) == expected(snapshots, first, last)
    assert len(asked) == 1
    monkeypatch.setattr(changes, "_FEW", 1)
    many = Changes()
    assert [counted(many.between(spark, table, first, last)) for _ in range(2)] == answers
    assert len(asked) == 1 + 1 + 2


def test_what_a_writer_recorded_is_not_asked_for(
    spark: SparkSession, table: IcebergTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    last, before = (info.identifier for info in list(table.history())[:2])
    recorded = changed_rows(spark, table, before, last)
    wanted = counted(recorded)
    known = Changes()
    known.record(table, before, last, recorded.toArrow())
    monkeypatch.setattr(changes, "changed_rows", lambda *given: pytest.fail("it was asked for"))
    assert counted(known.between(spark.newSession(), table, before, last)) == wanted
