"""The command that starts a Spark application."""

import zipfile
from itertools import pairwise
from pathlib import Path

import pytest

from lakehouse.errors import ConfigurationError
from lakehouse.jars import Artifact
from lakehouse.orchestrate.launch import application, class_archive, package_zip, packages
from lakehouse.settings import Profile, SparkSettings
from tests.unit.fake_java import FakeJava

DEFAULTS = """# a comment with spark.jars.packages in it
spark.sql.session.timeZone  UTC
spark.jars.packages         org.example:one:1,org.example:two:2.0
"""


@pytest.fixture
def local(profile: Profile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Profile:
    """A profile whose root is a folder of its own, with a Java that brings two jars."""
    monkeypatch.setenv("LAKEHOUSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("JAVA_HOME", str(FakeJava(tmp_path / "java").home))
    (tmp_path / "spark-defaults.conf").write_text(DEFAULTS)
    return profile.model_copy(update={"root": tmp_path, "spark": SparkSettings(master="local[2]")})


def on(profile: Profile, master: str) -> Profile:
    return profile.model_copy(update={"spark": SparkSettings(master=master)})


def option(command: list[str], name: str) -> str:
    """The value of the one option of that name."""
    assert command.count(name) == 1
    return command[command.index(name) + 1]


@pytest.mark.parametrize("line", ["spark.jars.packages g:n:1,g:m:2", "  spark.jars.packages=g:n:1,g:m:2\nspark.x y"])
def test_the_jars_stand_in_spark_defaults(tmp_path: Path, line: str) -> None:
    (tmp_path / "defaults").write_text(f"spark.master local\n{line}\n")
    assert packages(tmp_path / "defaults") == [Artifact("g", "n", "1"), Artifact("g", "m", "2")]


def test_defaults_without_jars_are_refused(tmp_path: Path) -> None:
    (tmp_path / "defaults").write_text("# spark.jars.packages g:n:1\n")
    with pytest.raises(ConfigurationError, match=r"spark\.jars\.packages is not set; expected the jars of Iceberg"):
        packages(tmp_path / "defaults")


def test_on_one_machine_the_jars_are_on_the_class_path_and_not_resolved_again(local: Profile) -> None:
    command = list(application(local, "run.py", ["--table", "users"]).command)
    assert [Path(jar).name for jar in option(command, "--driver-class-path").split(":")] == ["a-1.jar", "b-2.jar"]
    settings = [following for name, following in pairwise(command) if name == "--conf"]
    assert settings == [
        "spark.jars.packages=",
        "spark.hadoop.fs.file.impl=com.globalmentor.apache.hadoop.fs.BareLocalFileSystem",
    ]
    assert option(command, "--master") == "local[2]"
    assert option(command, "--properties-file") == str(local.root / "spark-defaults.conf")
    assert Path(command[-3]).name == "run.py"
    assert command[-2:] == ["--table", "users"]
    assert "--py-files" not in command


@pytest.mark.parametrize("master", ["spark://host:7077", "yarn", "local-cluster[2,1,1024]"])
def test_for_a_cluster_the_engine_travels_with_the_application(local: Profile, master: str) -> None:
    made = application(on(local, master), "run.py", [], conf=["spark.a=1", "spark.b=2"])
    command = list(made.command)
    assert option(command, "--master") == master
    with zipfile.ZipFile(option(command, "--py-files")) as archive:
        assert {"lakehouse/__init__.py", "lakehouse/orchestrate/launch.py"} <= set(archive.namelist())
    assert [command[at + 1] for at, text in enumerate(command) if text == "--conf"] == ["spark.a=1", "spark.b=2"]
    assert made.archive is None


def test_the_first_application_leaves_a_class_archive_for_those_after_it_when_it_ends_well(local: Profile) -> None:
    first = application(local, "run.py", [])
    assert first.temporary_archive is not None
    assert f"-XX:ArchiveClassesAtExit={first.temporary_archive}" in option(list(first.command), "--driver-java-options")
    first.keep_archive()  # it left none: it failed
    assert application(local, "run.py", []).command == first.command
    first.temporary_archive.write_bytes(b"classes")
    first.keep_archive()
    second = application(local, "run.py", [])
    assert f"-XX:SharedArchiveFile={first.archive}" in option(list(second.command), "--driver-java-options")
    assert second.temporary_archive is None


def test_another_set_of_jars_has_another_class_archive(local: Profile, tmp_path: Path) -> None:
    one, other = class_archive([tmp_path / "a.jar"]), class_archive([tmp_path / "b.jar"])
    assert one != other
    assert class_archive([tmp_path / "a.jar"]) == one


def test_the_engine_is_packed_anew_in_one_step(local: Profile) -> None:
    path = package_zip(local)
    assert package_zip(local) == path
    assert [found.name for found in path.parent.iterdir() if found.is_file()] == ["lakehouse.zip"]


def test_for_little_the_optimising_compiler_is_left_out_and_the_code_cache_is_as_large_as_with_it(
    local: Profile,
) -> None:
    little = option(list(application(local, "job.py", [], little=True).command), "--driver-java-options")
    assert "-XX:TieredStopAtLevel=1" in little
    assert "-XX:ReservedCodeCacheSize=240m" in little  # 48 MB without it: a day of two domains filled them
    assert "TieredStopAtLevel" not in option(list(application(local, "job.py", []).command), "--driver-java-options")
