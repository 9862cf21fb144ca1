"""Days, weeks and months of moments, in UTC, and the keys of days."""

from pyspark.sql import Column
from pyspark.sql import functions as F

from lakehouse.transformer import UNKNOWN_KEY


def date_key(day: Column) -> Column:
    """A day as an integer like 20261031; the unknown member's key without one."""
    return F.coalesce(F.date_format(day, "yyyyMMdd").cast("int"), F.lit(UNKNOWN_KEY))


def month_of(day: Column) -> Column:
    """The first day of the month."""
    return F.trunc(day, "month")


def money(amount: Column) -> Column:
    """An amount in the shop's currency, to the cent."""
    return amount.cast("decimal(18,2)")
