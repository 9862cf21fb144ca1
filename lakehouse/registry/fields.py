"""Kinds of values that both files of source tables and transformers say, with what makes them valid."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from lakehouse.errors import ConfigurationError
from lakehouse.iceberg.partitioning import PARTITION_FIELDS, is_partition
from lakehouse.paths import check_identifier

_DURATION = re.compile(r"(?P<number>\d+)\s*(?P<unit>s|second|min|m|minute|h|hour|d|day)s?")
_UNITS = {
    "s": "seconds",
    "second": "seconds",
    "m": "minutes",
    "min": "minutes",
    "minute": "minutes",
    "h": "hours",
    "hour": "hours",
    "d": "days",
    "day": "days",
}


def identifier(what: str) -> AfterValidator:
    """The value may name a table or a check; ``what`` says which, for the message."""

    def valid(value: str) -> str:
        try:
            return check_identifier(value, what)
        except ConfigurationError as error:
            raise ValueError(str(error)) from None

    return AfterValidator(valid)


def _partition_fields(value: tuple[str, ...]) -> tuple[str, ...]:
    for field in value:
        if not is_partition(field):
            raise ValueError(f"{field!r} is not a partition field; expected {PARTITION_FIELDS}")
    return value


def _duration(value: object) -> object:
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError("a duration like `30 minutes`, `6 h` or `3 days` is expected")
    return timedelta(**{_UNITS[match["unit"]]: int(match["number"])})


#: `30 minutes`, `6 h`, `3 days`.
Duration = Annotated[timedelta, BeforeValidator(_duration)]
#: The name of a table of the lake.
TableText = Annotated[str, identifier("the name of a table")]
#: Each of the values is a partition field.
VALID_PARTITIONING = AfterValidator(_partition_fields)
