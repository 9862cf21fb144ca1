"""Whatever guarded work raises is told as one of the project's errors; what ends a process goes through."""

import pytest

from lakehouse.errors import DataError, ExitCode
from lakehouse.orchestrate.boundary import Failure, UnexpectedError, guarded


def raising(error: BaseException) -> Failure | None:
    def work() -> None:
        raise error

    return guarded(work, "making gold.a")


def test_what_work_returns_is_handed_on() -> None:
    assert guarded(lambda: 7, "making gold.a") == 7
    assert guarded(lambda: None, "making gold.a") is None


def test_an_error_of_the_project_stays_as_it_is() -> None:
    error = DataError("a row is broken", remedy="Mend it.")
    assert raising(error) == Failure(error)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (KeyError("day"), "making gold.a failed: KeyError: 'day'."),
        (ValueError("two\n  lines"), "making gold.a failed: ValueError: two lines."),
        (RuntimeError(), "making gold.a failed: RuntimeError: without a message."),
        (RecursionError("x" * 5000), f"making gold.a failed: RecursionError: {'x' * 1500}."),
    ],
    ids=lambda case: type(case).__name__,
)
def test_another_exception_is_told_with_its_class_and_what_was_being_done(error: Exception, expected: str) -> None:
    failure = raising(error)
    assert failure is not None
    assert isinstance(failure.error, UnexpectedError)
    assert failure.error.exit_code is ExitCode.SYSTEM_FAILURE
    assert expected in str(failure.error)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3)], ids=lambda case: type(case).__name__)
def test_what_ends_the_process_is_no_failure_of_a_table(error: BaseException) -> None:
    with pytest.raises(type(error)):
        raising(error)
