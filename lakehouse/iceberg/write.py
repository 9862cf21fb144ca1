"""Writing rows and changes to Iceberg tables, each in one commit that says what it was made from."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import reduce

from pyspark.sql import Column, DataFrame, DataFrameWriterV2, SparkSession
from pyspark.sql import functions as F

from lakehouse.iceberg.catalog import Catalog
from lakehouse.iceberg.changes import Changes
from lakehouse.iceberg.materialized import materialized
from lakehouse.iceberg.partitioning import spark_transform
from lakehouse.iceberg.properties import table_properties
from lakehouse.iceberg.spark_errors import SPARK_ERRORS, translated
from lakehouse.iceberg.table import IcebergTable
from lakehouse.paths import TableName, engine_column, quote
from lakehouse.spark import semi_join

_SESSION_PROPERTY = "spark.sql.iceberg.snapshot-property."
_WRITER_PROPERTY = "snapshot-property."
REMOVED = engine_column("removed")
_ROW, _IS_NEW = engine_column("row"), engine_column("is_new")


def merge(
    changes: DataFrame,
    target: IcebergTable,
    key: Sequence[str],
    properties: Mapping[str, str],
    *,
    mirror: bool,
    lost: Collection[str] = (),
) -> int:
    """Merge ``changes`` into ``target`` by ``key``, in one snapshot that bears ``properties``; returns its id.

    Rows that are there already, alike in every column, are not updated, so that the net change is true changes only; files
    that hold a row of ``changes`` are written anew all the same.

    Args:
        changes: one row a key: the target's columns and the boolean :data:`REMOVED`, true for keys that leave. It must
            read alike each time, since MERGE reads its source twice, and be of a session that nothing else commits in.
        mirror: whether keys that ``changes`` does not have leave too.
        lost: columns that the source no longer has: a NULL there leaves what the target has.
    """
    columns = [name for name in changes.columns if name != REMOVED]
    source, here = "source", target.name.table
    on = _all(F.col(f"{here}.{quote(name)}") == F.col(f"{source}.{quote(name)}") for name in key)
    new = {name: F.col(f"{source}.{quote(name)}") for name in columns}
    values = {
        name: F.coalesce(new[name], F.col(f"{here}.{quote(name)}")) if name in lost else new[name] for name in new
    }
    same = _all(F.col(f"{here}.{quote(name)}").eqNullSafe(value) for name, value in values.items())
    removed = F.col(f"{source}.{quote(REMOVED)}")
    merger = (
        changes.alias(source)
        .mergeInto(str(target.name), on)
        .whenMatched(removed)
        .delete()
        .whenMatched(~same)
        .update({quote(name): value for name, value in values.items()})
        .whenNotMatched(~removed)
        .insert({quote(name): value for name, value in new.items()})
    )
    if mirror:
        merger = merger.whenNotMatchedBySource().delete()
    with _committing_with(changes.sparkSession, properties):
        return _landed(target, merger.merge, f"merging into {target.name.dotted}")


def merge_part(
    rows: DataFrame,
    target: IcebergTable,
    key: Sequence[str],
    part: DataFrame,
    properties: Mapping[str, str],
    changes: Changes,
) -> int:
    """Make ``rows`` what ``target`` holds for ``part``, in one snapshot that bears ``properties``; returns its id.

    Files are rewritten only where a row is new, other or gone.

    Args:
        rows: one row a ``key``, persisted or otherwise read alike each time.
        part: values of some of the target's columns, without duplicates; few enough to be sent to every task. Rows of
            the target with such values that ``rows`` does not have leave.
        changes: is told what changed, for what is made from the target.
    """
    before = target.head
    at = rows.sparkSession.read.option("versionAsOf", str(before))
    existing = semi_join(at.table(str(target.name)), part, [*map(quote, part.columns)], null_is_a_value=True)
    with materialized(_differences(existing, rows, key)) as different:
        if different.isEmpty():
            return target.append([], properties)
        changed = different.select(F.coalesce("new", "old").alias("row"), F.col("new").isNull().alias(REMOVED))
        head = merge(changed.select("row.*", REMOVED), target, key, properties, mirror=False)
        sides = [different.where(F.col(side).isNotNull()).select(f"{side}.*") for side in ("old", "new")]
        changes.record(target, before or 0, head, reduce(DataFrame.union, sides).toArrow())
        return head


def _differences(old: DataFrame, new: DataFrame, key: Sequence[str]) -> DataFrame:
    """The rows, as structs ``old`` and ``new``, of the keys where they differ; NULL on a side that does not have the key."""
    row = F.struct(*map(quote, new.columns)).alias(_ROW)
    is_new = F.col(_IS_NEW)
    sides = [
        rows.select(*map(quote, key), row, F.lit(side).alias(_IS_NEW)) for rows, side in ((old, False), (new, True))
    ]
    pairs = (
        reduce(DataFrame.union, sides)
        .groupBy(*map(quote, key))
        .agg(
            F.first(F.when(~is_new, F.col(_ROW)), ignorenulls=True).alias("old"),
            F.first(F.when(is_new, F.col(_ROW)), ignorenulls=True).alias("new"),
        )
    )
    return pairs.where(~F.col("new").eqNullSafe(F.col("old"))).select("old", "new")


def _all(conditions: Iterable[Column]) -> Column:
    return reduce(lambda left, right: left & right, conditions)


def append(rows: DataFrame, target: IcebergTable, properties: Mapping[str, str]) -> int:
    """Add ``rows`` in one snapshot that bears ``properties``; returns its id."""
    writer = _writer(rows, target, properties)
    return _landed(target, writer.append, f"appending to {target.name.dotted}")


def overwrite(rows: DataFrame, target: IcebergTable, properties: Mapping[str, str], where: Column | None = None) -> int:
    """Make ``rows`` the content of ``target`` (of its part that meets ``where``), in one snapshot; returns its id."""
    writer = _writer(rows, target, properties)
    condition = F.lit(True) if where is None else where
    return _landed(target, lambda: writer.overwrite(condition), f"replacing rows of {target.name.dotted}")


def replace(
    rows: DataFrame,
    name: TableName,
    catalog: Catalog,
    partition_by: Sequence[str],
    properties: Mapping[str, str],
    sort_by: Sequence[str] = (),
) -> int:
    """Make ``rows`` and their columns the table ``name``, in one commit, whether it is there or not; returns its snapshot's id.

    Until then the table is as it was; its files and snapshots stay for whoever reads them.
    """
    catalog.ensure_namespace(name.layer)
    view = f"replacing_{name.layer}_{name.table}"
    ordered = rows.sortWithinPartitions(*map(quote, sort_by)) if sort_by else rows
    ordered.createOrReplaceTempView(view)
    said = ", ".join(f"'{key}' = '{value}'" for key, value in table_properties(name.layer, partition_by).items())
    fields = ", ".join(map(spark_transform, partition_by))
    partitioned = f"PARTITIONED BY ({fields}) " if fields else ""
    statement = (
        f"CREATE OR REPLACE TABLE {name} USING iceberg {partitioned}TBLPROPERTIES ({said}) AS SELECT * FROM {view}"
    )
    session = rows.sparkSession
    try:
        with _committing_with(session, properties):
            session.sql(statement)
    except SPARK_ERRORS as error:
        raise translated(error, f"replacing {name.dotted}") from None
    finally:
        session.catalog.dropTempView(view)
    made = catalog.get(name)
    if sort_by:
        made.partition(partition_by, sort_by)
    head = made.head
    assert head is not None
    return head


def _writer(rows: DataFrame, target: IcebergTable, properties: Mapping[str, str]) -> DataFrameWriterV2:
    writer = rows.writeTo(str(target.name))
    for name, value in properties.items():
        writer = writer.option(f"{_WRITER_PROPERTY}{name}", value)
    return writer


@contextmanager
def _committing_with(session: SparkSession, properties: Mapping[str, str]) -> Iterator[None]:
    """The commits of ``session`` bear ``properties``; the session belongs to one table's work alone."""
    for name, value in properties.items():
        session.conf.set(f"{_SESSION_PROPERTY}{name}", value)
    try:
        yield
    finally:
        for name in properties:
            session.conf.unset(f"{_SESSION_PROPERTY}{name}")


def _landed(target: IcebergTable, commit: Callable[[], object], doing: str) -> int:
    """The snapshot that ``commit`` made.

    Raises:
        BrokenRowError: a row holds a value that a cast or a calculation refuses.
        SystemFailureError: Spark, the catalog or the warehouse failed.
    """
    before = target.head
    try:
        commit()
    except SPARK_ERRORS as error:
        raise translated(error, doing) from None
    target.refresh()
    target.check_descends_from(before)
    head = target.head
    assert head is not None
    return head
