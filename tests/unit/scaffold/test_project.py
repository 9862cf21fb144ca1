"""What `lakehouse init` writes holds together, and its example passes the test that comes with it."""

import re
from pathlib import Path
from typing import Any

import pytest

from lakehouse.registry import loader
from lakehouse.registry.loader import Registry
from lakehouse.scaffold.project import project
from lakehouse.settings import load_profile
from tests.conftest import ROOT

FILES = project("my_lake", "1.2.3", "a-key-of-its-own")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, file in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(file.text)
    return tmp_path


@pytest.fixture
def lakehouse_registry(folder: Path) -> Registry:
    """The new project's registry, in the place of the checkout's."""
    return loader.load(folder / "registry")


def test_its_profile_is_whole_with_the_env_file_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(folder))
    for name in (
        "LAKEHOUSE_PROFILE",
        "LAKEHOUSE_HOME",
        "LAKEHOUSE_REGISTRY",
        "LAKEHOUSE_PSEUDONYM_KEY",
        "APP_PG_PASSWORD",
    ):
        monkeypatch.delenv(name, raising=False)
    profile = load_profile()
    assert (profile.root, profile.registry, set(profile.sources)) == (folder, folder / "registry", {"app_pg"})
    assert profile.pseudonym_key is not None
    assert profile.pseudonym_key.get_secret_value() == "a-key-of-its-own"


def test_its_example_passes_the_test_that_comes_with_it(folder: Path, transform: Any, assert_rows: Any) -> None:
    scope: dict[str, Any] = {}
    exec((folder / "tests/unit/registry_common/test_calendar.py").read_text(), scope)
    tests = [value for name, value in scope.items() if name.startswith("test_")]
    for test in tests:
        test(transform, assert_rows)
    assert tests


def test_its_example_has_the_columns_and_the_grain_that_it_names(transform: Any, lakehouse_registry: Registry) -> None:
    result, said = transform("calendar"), lakehouse_registry.transformers["calendar"]
    assert tuple(result.columns) == tuple(said.columns)
    assert result.count() == result.select(*said.grain).distinct().count() == 20 * 365 + 5


def test_versions_of_jars_are_those_of_the_checkout() -> None:
    assert FILES["spark-defaults.conf"].text == (ROOT / "spark-defaults.conf").read_text()


def test_the_key_is_in_the_private_file_alone() -> None:
    holding = {name for name, file in FILES.items() if "a-key-of-its-own" in file.text}
    assert holding == {name for name, file in FILES.items() if file.private} == {".env"}
    assert ".env" in FILES[".gitignore"].text.splitlines()


def test_nothing_is_left_to_fill_in() -> None:
    assert not [name for name, file in FILES.items() if re.search(r"\{\{(project|version)\}\}", file.text)]
    assert FILES["README.md"].text.startswith("# my_lake\n")
    assert "lakehouse-1.2.3-py3" in FILES["requirements.txt"].text
