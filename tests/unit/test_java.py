from typing import Any

import pytest
from py4j.java_gateway import JavaClass, JavaObject, JVMView
from py4j.protocol import Py4JError
from pyspark.sql import SparkSession

from lakehouse.java import remember


@pytest.fixture
def asked(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commands that Python sends to the JVM."""
    sent: list[str] = []
    gateway: Any = spark._sc._gateway
    client = gateway._gateway_client
    send = client.send_command

    def note(command: str, *args: Any, **options: Any) -> str:
        if not command.startswith("m\n"):  # that Python has no more use for an object
            sent.append(command)
        answer: str = send(command, *args, **options)
        return answer

    monkeypatch.setattr(client, "send_command", note)
    return sent


@pytest.fixture
def view(spark: SparkSession) -> Any:
    """A view that nothing was asked of."""
    gateway: Any = spark._sc._gateway
    return gateway.new_jvm_view("test")


def test_a_class_and_its_method_are_looked_up_once(view: Any, asked: list[str]) -> None:
    remember(view)
    first = [view.java.lang.Math.max(1, 2), len(asked)]
    second = [view.java.lang.Math.max(3, 4), len(asked) - first[1]]
    assert (first, second) == ([2, 5], [4, 1])


def test_a_view_that_does_not_remember_asks_again(view: Any, asked: list[str]) -> None:
    assert (view.java.lang.Math.max(1, 2), len(asked)) == (2, 5)
    assert (view.java.lang.Math.max(3, 4), len(asked)) == (4, 10)


def test_what_may_change_is_asked_again(view: Any, asked: list[str]) -> None:
    remember(view)
    assert view.java.lang.Integer.MAX_VALUE == 2**31 - 1
    before = len(asked)
    assert view.java.lang.Integer.MAX_VALUE == 2**31 - 1
    assert len(asked) == before + 1


def test_classes_within_classes_are_made_and_called(view: Any) -> None:
    remember(view)
    entry = getattr(view, "java.util.AbstractMap").SimpleEntry("a", 1)
    assert isinstance(entry, JavaObject)
    assert (entry.getKey(), entry.getValue()) == ("a", 1)
    assert isinstance(getattr(view, "java.util.AbstractMap").SimpleEntry, JavaClass)


def test_what_is_not_there_is_told_each_time(view: Any) -> None:
    remember(view)
    for _ in range(2):
        with pytest.raises(Py4JError):
            view.java.lang.Math.no_such_method()
    assert isinstance(view, JVMView)


def test_anything_but_a_view_is_left_alone() -> None:
    remember(None)
