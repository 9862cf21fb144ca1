"""What is refused before anything of a gold table is written."""

from typing import Any

import pytest
from pyspark.sql import SparkSession

from lakehouse.errors import DataError
from lakehouse.gold.write import write_gold
from lakehouse.registry.transformers import Transformer
from lakehouse.testing import local_frame


def refused(spark: SparkSession, rows: list[tuple[Any, ...]], *, little: bool = False, **options: Any) -> str:
    transformer = Transformer(table="daily", function=lambda **_: None, reads={}, **options)  # type: ignore[arg-type]
    nowhere: Any = None  # the lake is not asked
    with pytest.raises(DataError) as caught:
        write_gold(local_frame(spark, rows, "day int, money int"), transformer, nowhere, None, {}, None, little=little)
    return str(caught.value)


def test_columns_are_those_that_are_declared(spark: SparkSession) -> None:
    message = refused(spark, [(1, 1)], grain=("day",), columns={"day": "Day.", "orders": "Orders."})
    assert "orders missing, money undeclared. Gold is as it was. Correct `columns` beside the transformer" in message


@pytest.mark.parametrize("little", [False, True], ids=["by Spark", "by the driver"])
def test_each_combination_of_the_grain_has_one_row(spark: SparkSession, little: bool) -> None:
    message = refused(spark, [(1, 1), (1, 2), (2, 5), (None, 3)], grain=("day",), little=little)
    assert (
        "1 combinations of its grain (day) have more than one row, and 1 hold a NULL; expected one row each" in message
    )
