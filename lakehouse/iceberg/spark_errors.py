"""What Spark raises, told as whose fault it is: a row's, or the system's."""

import re

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException

from lakehouse.errors import DataError, LakehouseError, SystemFailureError
from lakehouse.sqlstate import Condition, data_exceptions

#: What Spark's calls raise: the first where it knows the Java exception, the second otherwise.
SPARK_ERRORS = (PySparkException, Py4JJavaError)
_LONGEST = 1500
_MARKED = re.compile(r"^(?P<code>[^\n]*)\n(?P<before> *)(?P<marks>\^+)", re.MULTILINE)


class BrokenRowError(DataError):
    """A row holds a value that a cast, a calculation or a function refuses. The message does not show the value."""


def translated(error: Exception, doing: str) -> LakehouseError:
    """The error to raise ``from None`` (what is behind it may quote a row) for what Spark raised while ``doing``."""
    text = str(error)
    broken = next(data_exceptions(text), None)
    if broken is None:
        return SystemFailureError(f"{doing}: Spark failed: {' '.join(text.split())[:_LONGEST]}")
    return BrokenRowError(
        f"{doing} failed: a row holds a value that is refused: {broken.name or 'a data exception'} (SQLSTATE "
        f"{broken.state}){_place(text, broken)}; expected that each value passes. The value is not shown, since it may "
        "be personal. The table is as it was.",
        remedy="Use `try_cast` or another function of `try_…` in the transformer, or reject such rows by a check in the "
        "registry file of the source table.",
    )


def _place(text: str, broken: Condition) -> str:
    """The code that Spark marks in its message, which is never data; empty where it marks none."""
    marked = _MARKED.search(text, broken.end)
    if marked is None:
        return ""
    start = len(marked["before"])
    code = marked["code"][start : start + len(marked["marks"])]
    return f" in `{code[:200]}`" if code else ""
