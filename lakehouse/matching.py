"""What transformers ask of large tables and the driver answers where little is asked: rows that hold one of some keys, and
the ends of a column. Else it is a join of Spark, or a query."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.paths import quote
from lakehouse.spark import bytes_read, frame_of, plan, semi_join

#: With more keys than these the join is the shorter way.
_MOST_KEYS = 500_000


@dataclass(frozen=True)
class Few:
    """Rows of a table that the driver found.

    Attributes:
        exactly: whether they are only those that were looked for, in the columns that are wanted. Else all columns are
            there, and maybe other rows.
    """

    rows: DataFrame
    exactly: bool


#: Finds the rows in which expressions (one for each column of the keys) are one of the keys, in the columns that are named;
#: ``None`` where that is not for the driver.
Search = Callable[[pa.Table, Sequence[str], Sequence[str]], Few | None]
#: Tells the lowest and the highest value of a column; ``None`` where Spark must be asked.
Ends = Callable[[str], tuple[Any, Any] | None]


@dataclass(frozen=True)
class _Known:
    search: Search
    ends: Ends


_known: "WeakKeyDictionary[DataFrame, _Known]" = WeakKeyDictionary()


def searchable(rows: DataFrame, search: Search, ends: Ends) -> DataFrame:
    """``rows``, which are a table's: :func:`matching` looks for some of them with ``search``, :func:`ends_of` asks ``ends``."""
    _known[rows] = _Known(search, ends)
    return rows


def ends_of(rows: DataFrame, column: str) -> tuple[Any, Any]:
    """The lowest and the highest value of a column; ``(None, None)`` where no row has one.

    Of an input as the transformer was given it the files' metrics tell, and nothing is read.

    Returns:
        Python's values; moments are in UTC.
    """
    known = _known.get(rows)
    ends = known.ends(column) if known is not None else None
    if ends is None:
        name = quote(column)
        found = rows.agg(F.min(name).alias("low"), F.max(name).alias("high")).toArrow().to_pylist()[0]
        ends = found["low"], found["high"]
    return ends


def matching(
    rows: DataFrame, keys: DataFrame, by: Mapping[str, str] | None = None, columns: Sequence[str] = ()
) -> DataFrame:
    """The ``rows`` that hold one of the ``keys``; NULL is like nothing.

    Where ``rows`` is an input as the transformer was given it, the driver looks for them by the metrics of files and by the
    columns that hold keys: it is for few rows of a large table. A semi-join gives the same.

    Args:
        keys: few rows; duplicates do no harm.
        by: for each column of ``keys`` what it is compared with, a Spark SQL expression over ``rows``: a column,
            ``to_date(column)`` or ``trunc(column, 'month')``, with others Spark looks. The column of its name when absent.
        columns: those of ``rows`` that are wanted; all when absent.
    """
    names = keys.columns
    expressions = [(by or {}).get(name, quote(name)) for name in names]
    wanted = list(columns) or rows.columns
    known = _known.get(rows)
    if known is not None:
        plan(rows.sparkSession, bytes_read(keys))
        held = keys.limit(_MOST_KEYS + 1).toArrow()
        if held.num_rows <= _MOST_KEYS:
            different = held.group_by(names).aggregate([]).drop_null()
            found = known.search(different, expressions, wanted)
            if found is not None and found.exactly:
                return found.rows
            rows = rows if found is None else found.rows
            keys = frame_of(rows.sparkSession, different)
    return semi_join(rows, keys, expressions, null_is_a_value=False).select(*map(quote, wanted))
