"""The lake as a table's work sees it."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

from pyspark.sql import SparkSession

from lakehouse.iceberg.catalog import Catalog
from lakehouse.iceberg.changes import Changes
from lakehouse.spark import Sessions


class Lake:
    """Where tables are written.

    Args:
        spark: a session, or the sessions of a Spark that is started when it is needed.
        computes: whether tables are computed from what is loaded, so that Spark will be needed when something came.

    Attributes:
        catalog: its tables; needs no session.
        changes: what is known of changes in this run.
    """

    def __init__(
        self,
        spark: SparkSession | Sessions,
        catalog: Catalog,
        changes: Changes | None = None,
        *,
        computes: bool = True,
    ) -> None:
        self.sessions = spark if isinstance(spark, Sessions) else Sessions.of(spark)
        self.catalog, self.changes = catalog, changes or Changes()
        self._computes = computes

    @cached_property
    def spark(self) -> SparkSession:
        """The Spark session. Who asks first waits until Spark has started.

        Raises:
            SystemFailureError: it did not start.
        """
        return self.sessions.first()

    def in_a_session_of_its_own(self) -> "Lake":
        """The same lake for one table's work: what it sets in its session, no other table sees."""
        return _OwnSession(self.sessions, self.catalog, self.changes, computes=self._computes)

    @contextmanager
    def in_a_session_of_the_engine(self) -> Iterator["Lake"]:
        """The same for work that only the engine's code does, which leaves nothing behind in its session.

        Another table's work goes on with the session: a new one takes Spark some thirty milliseconds.
        """
        idle = self.sessions.idle
        lake = _OwnSession(self.sessions, self.catalog, self.changes, computes=self._computes)
        lake.lent = idle.pop() if idle else None
        yield lake
        if lake.lent is not None:  # of work that failed it is not known what it left behind
            idle.append(lake.lent)

    def something_came(self) -> None:
        """Say that a table is about to change: what is computed from it will need Spark, which may start meanwhile."""
        if self._computes:
            self.sessions.expect()


class _OwnSession(Lake):
    lent: SparkSession | None = None

    @cached_property
    def spark(self) -> SparkSession:
        if self.lent is None:
            self.lent = self.sessions.first().newSession()
        return self.lent
