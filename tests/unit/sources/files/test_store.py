"""Which files fit a pattern, and what their names say."""

import os
from pathlib import Path

import pytest

from lakehouse.errors import SourceError, SourceUnavailableError
from lakehouse.sources.files.settings import Settings
from lakehouse.sources.files.store import Store, expression_of, suffixes


@pytest.mark.parametrize(
    ("pattern", "fits", "others"),
    [
        ("*.jsonl", ["a.jsonl", "ä b.jsonl"], ["x/a.jsonl", "a.json", ".a.jsonl", "_a.jsonl"]),
        ("day=*/*.csv", ["day=1/a.csv"], ["day=1/x/a.csv", "a.csv", "_day=1/a.csv"]),
        ("**/*.csv", ["a.csv", "x/a.csv", "x/y/a.csv"], ["_tmp/a.csv", "x/.y/a.csv"]),
        ("a?[0-9].[!x]", ["ab1.y"], ["ab1.x", "a1.y", "abc.y"]),
        ("_logs/*", ["_logs/a"], ["logs/a"]),
        ("a+(b).csv", ["a+(b).csv"], ["aab.csv"]),
        ("[", ["["], ["]"]),
    ],
)
def test_a_pattern_stands_for_names(pattern: str, fits: list[str], others: list[str]) -> None:
    expression = expression_of(pattern)
    assert [name for name in (*fits, *others) if expression.fullmatch(name)] == fits


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("x/a.jsonl", (".jsonl", "")),
        ("a.CSV.gz", (".csv", ".gz")),
        ("a.tar.zst", (".tar", ".zst")),
        ("a.gz", ("", ".gz")),
        ("a", ("", "")),
        ("x.y/a", ("", "")),
    ],
)
def test_a_name_says_format_and_compression(name: str, found: tuple[str, str]) -> None:
    assert suffixes(name) == found


def store(folder: Path) -> Store:
    return Store(Settings(type="files", root=str(folder)))


def test_files_come_in_the_order_in_which_they_were_written(tmp_path: Path) -> None:
    for place, name in enumerate(("b/2.csv", "a/3.csv", "b/1.csv")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x" * place)
        os.utime(tmp_path / name, (place, place))
    (tmp_path / "c.csv").mkdir()
    files = store(tmp_path).listed("*/*.csv")
    assert [file.name for file in files] == ["b/2.csv", "a/3.csv", "b/1.csv"]
    assert [file.version for file in files] == ["0-0", "1-1000000000", "2-2000000000"]
    assert store(tmp_path).listed("b/1*") == [files[2]]
    assert store(tmp_path).listed("nothing/*") == []


def test_a_file_that_changed_since_it_was_listed_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1")
    (file,) = store(tmp_path).listed("*.csv")
    store(tmp_path).check(file, "reading")
    (tmp_path / "a.csv").write_text("12")
    with pytest.raises(SourceUnavailableError, match=r"reading: a\.csv of the files at .* was written or removed"):
        store(tmp_path).check(file, "reading")
    (tmp_path / "a.csv").unlink()
    with pytest.raises(SourceUnavailableError, match=r"was written or removed while it was read"):
        store(tmp_path).check(file, "reading")
    with pytest.raises(SourceUnavailableError, match=r"is not there"), store(tmp_path).stream(file, "reading"):
        pass


def test_a_root_that_is_no_folder_and_a_kind_of_store_that_is_not_known_are_told(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailableError, match=r"listing \*: .*away is not there"):
        store(tmp_path / "away").listed("*")
    with pytest.raises(SourceError, match=r"opening the files at ftp://x/y"):
        Store(Settings(type="files", root="ftp://x/y"))
