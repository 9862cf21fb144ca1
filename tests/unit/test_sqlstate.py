import pytest

from lakehouse.logs import Redaction
from lakehouse.sqlstate import data_exceptions, without_values

CAST = """[CAST_INVALID_INPUT] The value 'canary' of the type "STRING" cannot be cast to "INT". SQLSTATE: 22018"""


def names(text: str) -> list[tuple[str, str]]:
    return [(found.name, found.state) for found in data_exceptions(text)]


def test_a_data_exception_is_found_by_its_state_and_loses_its_message() -> None:
    assert names(f"Job aborted: org.apache.spark.SparkNumberFormatException: {CAST}\n== SQL ==") == [
        ("CAST_INVALID_INPUT", "22018")
    ]
    assert "canary" not in without_values(CAST)
    assert without_values(CAST).startswith("[CAST_INVALID_INPUT] (")
    assert without_values(CAST).endswith("SQLSTATE: 22018")


def test_errors_of_other_classes_keep_their_message() -> None:
    text = "[TABLE_OR_VIEW_NOT_FOUND] The table `a` cannot be found. SQLSTATE: 42P01"
    assert names(text) == []
    assert without_values(text) == text


def test_an_error_around_the_data_exception_does_not_hide_it() -> None:
    text = f"[TASK_WRITE_FAILED] Task failed. SQLSTATE: 58030 Caused by: {CAST} and again {CAST}"
    assert names(text) == [("CAST_INVALID_INPUT", "22018")] * 2
    assert "canary" not in without_values(text)
    assert "Task failed" in without_values(text)


@pytest.mark.parametrize("value", ["[ALICE] canary", "one\ncanary\n", "SQLSTATE: canary"])
def test_a_value_that_looks_like_a_condition_is_data(value: str) -> None:
    text = f"[CAST_INVALID_INPUT] The value '{value}' cannot be cast. SQLSTATE: 22018 at line 1"
    assert names(text) == [("CAST_INVALID_INPUT", "22018")]
    assert "canary" not in without_values(text)


def test_every_text_that_is_redacted_loses_the_values_of_rows() -> None:
    assert "canary" not in Redaction().text(f"WARN TaskSetManager: Lost task 0.0: {CAST}")
