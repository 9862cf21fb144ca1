"""Kinds of values that both files of source tables and transformers say, with what makes them valid."""

from typing import Annotated

from pydantic import AfterValidator

from lakehouse.errors import ConfigurationError
from lakehouse.iceberg.partitioning import PARTITION_FIELDS, is_partition
from lakehouse.paths import check_identifier


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


#: The name of a table of the lake.
TableText = Annotated[str, identifier("the name of a table")]
#: Each of the values is a partition field.
VALID_PARTITIONING = AfterValidator(_partition_fields)
