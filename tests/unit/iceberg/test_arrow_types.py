import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.schema import Schema
from pyiceberg.types import NestedField
from pyspark.sql.types import DecimalType

from lakehouse.iceberg.arrow_types import arrow_type, decimal_digits, iceberg_type, lake_type

PLAIN = ["boolean", "int", "bigint", "float", "double", "string", "binary", "date", "timestamp"]
DIGITS = st.integers(1, 38).flatmap(lambda precision: st.tuples(st.just(precision), st.integers(0, precision)))
LAKE_TYPES = st.sampled_from(PLAIN) | DIGITS.map(lambda digits: f"decimal({digits[0]},{digits[1]})")


@given(LAKE_TYPES)
def test_a_lake_type_survives_the_way_to_iceberg_and_back(name: str) -> None:
    assert lake_type(iceberg_type(name)) == name


@given(LAKE_TYPES)
def test_arrow_and_iceberg_agree_on_each_type(name: str) -> None:
    """PyIceberg reads the spelled type as the Arrow type that the lake writes (it makes texts and bytes large)."""
    field = NestedField.model_validate({"id": 1, "name": "c", "required": False, "type": iceberg_type(name)})
    found = schema_to_pyarrow(Schema(field)).field("c").type
    assert {pa.large_string(): pa.string(), pa.large_binary(): pa.binary()}.get(found, found) == arrow_type(name)


@given(DIGITS)
def test_decimal_digits_are_those_that_spark_reads(digits: tuple[int, int]) -> None:
    name = f"decimal({digits[0]},{digits[1]})"
    assert decimal_digits(name) == digits
    assert DecimalType(*digits).simpleString() == name


@pytest.mark.parametrize("name", ["bigint", "decimal", "decimal(5)", "xdecimal(5,2)", "decimal(5,2)[]"])
def test_what_is_no_decimal_has_no_digits(name: str) -> None:
    assert decimal_digits(name) is None


def test_a_type_that_the_lake_does_not_hold_is_an_error() -> None:
    with pytest.raises(KeyError, match="interval"):
        arrow_type("interval")
