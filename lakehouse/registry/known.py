"""What was known on a day: the rows of a model's inputs up to it, and no later ones."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F


@dataclass(frozen=True)
class Known:
    """The inputs of a model as they were known on a day.

    Attributes:
        rows: all rows of each input, by the name that the model gives it, pinned to a snapshot.
        times: for each input whose rows come in the course of time, the column (a timestamp in UTC, or a date) that says
            when. The others are as they are at their snapshot.
        until: the day (UTC) at whose beginning what is known ends.
    """

    rows: Mapping[str, DataFrame]
    times: Mapping[str, str]
    until: date

    @property
    def spark(self) -> SparkSession:
        """The session of the rows."""
        return next(iter(self.rows.values())).sparkSession

    def table(self, name: str) -> DataFrame:
        """The rows of an input from before :attr:`until`."""
        rows = self.rows[name]
        return rows.where(F.col(self.times[name]) < F.lit(self.until)) if name in self.times else rows

    def at(self, day: date) -> "Known":
        """What was known on an earlier day.

        Raises:
            ValueError: ``day`` is a later one: nobody may look there.
        """
        if day > self.until:
            raise ValueError(f"{day} was asked for, and what is known ends with {self.until}")
        return replace(self, until=day)
