"""``.env``: made once from the example, with secrets of its own, and never overwritten."""

from pathlib import Path

import pytest

from lakehouse.errors import ConfigurationError
from scripts.services.env import ensure_env
from scripts.services.settings import ROOT

_EXAMPLE = "# a comment\nUSER_NAME=lakehouse\nFIRST_SECRET=change-me\nSECOND_SECRET=change-me\n"


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("USER_NAME", "FIRST_SECRET", "SECOND_SECRET"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / ".env.example"
    path.write_text(_EXAMPLE)
    return path


def test_each_placeholder_becomes_a_secret_of_its_own(example: Path, tmp_path: Path) -> None:
    values = ensure_env(tmp_path / ".env", example)
    assert values["USER_NAME"] == "lakehouse"
    assert len({values["FIRST_SECRET"], values["SECOND_SECRET"], "change-me"}) == 3
    assert min(len(values["FIRST_SECRET"]), len(values["SECOND_SECRET"])) >= 32


def test_only_its_owner_may_read_it(example: Path, tmp_path: Path) -> None:
    ensure_env(tmp_path / ".env", example)
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600


def test_it_is_never_overwritten(example: Path, tmp_path: Path) -> None:
    first = ensure_env(tmp_path / ".env", example)
    written = (tmp_path / ".env").read_bytes()
    assert ensure_env(tmp_path / ".env", example) == first
    assert (tmp_path / ".env").read_bytes() == written


def test_nothing_but_it_is_left_in_the_folder(example: Path, tmp_path: Path) -> None:
    ensure_env(tmp_path / ".env", example)
    assert {path.name for path in tmp_path.iterdir()} == {".env", ".env.example"}


def test_the_environment_goes_before_the_file(example: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRST_SECRET", "of the environment")
    assert ensure_env(tmp_path / ".env", example)["FIRST_SECRET"] == "of the environment"


def test_an_empty_variable_of_the_environment_counts_for_nothing(
    example: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("USER_NAME", "")
    assert ensure_env(tmp_path / ".env", example)["USER_NAME"] == "lakehouse"


def test_a_variable_that_is_missing_is_named(example: Path, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("USER_NAME=lakehouse\nFIRST_SECRET=x\n")
    with pytest.raises(
        ConfigurationError, match=r"\.env has no value for SECOND_SECRET, which \.env\.example names\. Add"
    ):
        ensure_env(tmp_path / ".env", example)


def test_the_projects_example_names_every_secret_of_the_services_and_the_profiles() -> None:
    names = {line.partition("=")[0] for line in (ROOT / ".env.example").read_text().splitlines() if "=" in line}
    assert names == {
        "APP_PG_ADMIN_PASSWORD",
        "APP_PG_PASSWORD",
        "CATALOG_PG_PASSWORD",
        "CASSANDRA_PASSWORD",
        "MINIO_ROOT_USER",
        "MINIO_ROOT_PASSWORD",
        "LAKEHOUSE_PSEUDONYM_KEY",
    }
