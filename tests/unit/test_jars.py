"""Jars are fetched once, as they are described, or not at all."""

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from lakehouse.errors import SystemFailureError
from lakehouse.jars import Artifact, cache_folder, fetch, java
from tests.unit.fake_java import FakeJava

ICEBERG = Artifact.parse("org.apache.iceberg:iceberg-spark:1.10.0")
MakeJava = Callable[..., FakeJava]


@pytest.fixture
def make_java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeJava:
    monkeypatch.setenv("LAKEHOUSE_CACHE", str(tmp_path / "cache"))

    def made(*jars: str, code: int = 0) -> FakeJava:
        fake = FakeJava(tmp_path / "java", jars, code)
        monkeypatch.setenv("JAVA_HOME", str(fake.home))
        return fake

    return made


def test_a_coordinate_is_group_name_and_version() -> None:
    assert Artifact.parse(" g.h:n-1:2.0 ") == Artifact("g.h", "n-1", "2.0")


def test_jars_are_fetched_once_and_sorted(make_java: MakeJava) -> None:
    fake = make_java("b.jar", "a.jar")
    jars = fetch([ICEBERG], "spark")
    assert [jar.name for jar in jars] == ["a.jar", "b.jar"]
    assert fetch([ICEBERG], "spark") == jars
    assert fake.calls == 1


def test_other_artifacts_are_another_set(make_java: MakeJava) -> None:
    fake = make_java("a.jar")
    assert fetch([ICEBERG], "spark") != fetch([Artifact.parse("org.apache.iceberg:iceberg-spark:1.10.1")], "spark")
    assert fake.calls == 2


def test_ivy_is_asked_for_each_artifact_as_it_is_described(make_java: MakeJava) -> None:
    fake = make_java("a.jar")
    shaded = Artifact("org.example", "shaded", "2", classifiers=("", "tests"), transitive=False)
    fetch([ICEBERG, shaded], "spark")
    plain, other = ElementTree.fromstring(fake.asked).iter("dependency")
    assert plain.attrib == {
        "org": "org.apache.iceberg",
        "name": "iceberg-spark",
        "rev": "1.10.0",
        "conf": "default",
    }
    assert list(plain) == []
    assert other.attrib["transitive"] == "false"
    classifier = "{http://ant.apache.org/ivy/maven}classifier"
    assert [(jar.attrib["name"], jar.attrib.get(classifier)) for jar in other] == [
        ("shaded", None),
        ("shaded", "tests"),
    ]


@pytest.mark.parametrize(("jars", "code"), [(("a.jar",), 1), ((), 0)], ids=["it fails", "it brings nothing"])
def test_a_fetch_that_fails_says_so_and_leaves_nothing_behind(
    make_java: MakeJava, jars: tuple[str, ...], code: int
) -> None:
    make_java(*jars, code=code)
    with pytest.raises(SystemFailureError, match=r"fetching the jars of spark failed: module not found: org\.example"):
        fetch([ICEBERG], "spark")
    assert [path.name for path in (cache_folder() / "jars").iterdir()] == [".lock"]


def test_a_java_that_is_not_there_is_told_with_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(SystemFailureError, match=r"Java was not found\. Install Java 17 and set JAVA_HOME"):
        java()
    monkeypatch.delenv("JAVA_HOME")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemFailureError, match="Java was not found"):
        java()


def test_the_cache_is_the_user_s_unless_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LAKEHOUSE_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "lakehouse"
    monkeypatch.setenv("LAKEHOUSE_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"
