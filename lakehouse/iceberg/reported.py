"""What an exception of Iceberg's Java code means."""

from collections.abc import Iterator
from contextlib import contextmanager

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException

from lakehouse.errors import SystemFailureError, one_line


@contextmanager
def reported(doing: str) -> Iterator[None]:
    """Turns an exception of the JVM into one that says what was being done; the stack trace stays behind it."""
    try:
        yield
    except Py4JJavaError as error:
        raise SystemFailureError(f"{doing} failed: {java_message(error)}.") from error
    except PySparkException as error:  # what pyspark knows a class of its own for
        raise SystemFailureError(f"{doing} failed: {one_line(error, 1000)}.") from error


def java_message(error: Py4JJavaError) -> str:
    """Class and message of the Java exception and of its root cause, in one line."""
    outer = error.java_exception
    root = outer
    while root.getCause() is not None:
        root = root.getCause()
    texts = [
        f"{item.getClass().getSimpleName()}: {item.getMessage()}"
        for item in ([outer, root] if root != outer else [outer])
    ]
    return " ".join(" <- ".join(texts).split()).rstrip(".")[:1000]
