"""`lakehouse init` writes a project into a new or empty folder, and into no other."""

import re
from pathlib import Path

import pytest

from lakehouse.cli.init import init
from lakehouse.errors import ConfigurationError


@pytest.mark.parametrize("there", [(), (".git",)])
def test_a_project_is_written(there: tuple[str, ...], tmp_path: Path) -> None:
    for name in there:
        (tmp_path / "lake" / name).mkdir(parents=True)
    init(tmp_path / "lake")
    assert (tmp_path / "lake" / "registry" / "common" / "calendar.sql").exists()
    assert (tmp_path / "lake" / "README.md").read_text().startswith("# lake\n")


def test_secrets_are_random_and_their_owner_s(tmp_path: Path) -> None:
    init(tmp_path / "a")
    init(tmp_path / "b")
    env = [tmp_path / name / ".env" for name in ("a", "b")]
    keys = [re.findall(r"LAKEHOUSE_PSEUDONYM_KEY=([0-9a-f]{64})$", file.read_text(), re.MULTILINE) for file in env]
    assert len(keys[0]) == len(keys[1]) == 1
    assert keys[0] != keys[1]
    assert [file.stat().st_mode & 0o777 for file in env] == [0o600, 0o600]


def test_a_folder_that_is_not_empty_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    (tmp_path / ".git").mkdir()
    with pytest.raises(ConfigurationError, match=r"holds \.git, notes\.txt; expected a new or an empty folder"):
        init(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".git", "notes.txt"]


def test_of_many_files_some_are_named(tmp_path: Path) -> None:
    for number in range(11):
        (tmp_path / f"{number:02}").touch()
    with pytest.raises(ConfigurationError, match=r"holds 00, 01, .*, 07 and 3 more;"):
        init(tmp_path)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "lake").touch()
    with pytest.raises(ConfigurationError, match=r"lake: it is a file; expected a new or an empty folder"):
        init(tmp_path / "lake")


def test_a_folder_that_cannot_be_made_is_an_error_with_its_cause(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match=r"making a project in .*Not a directory"):
        init(tmp_path / "file" / "lake")
