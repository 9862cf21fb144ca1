"""The engine knows no table: nothing in it, docstrings and messages included, names one of the registry's."""

import re
from pathlib import Path

import pytest

from lakehouse.paths import Layer
from lakehouse.registry import loader
from tests.conftest import ROOT

#: Tables whose names are words that the engine needs in their own meaning.
ENGLISH = {
    "groups": "of tables that share a source, of keys, of columns",
    "orders": "what is ordered by: «what orders them»",
    "ranking": "candidates in order: what a request for a ranking is answered with",
    "returns": "what a function gives back",
}


@pytest.fixture(scope="module")
def known() -> set[str]:
    """The names of the registry's tables, reference files and domains."""
    registry = loader.load(ROOT / "registry")
    references = {path.stem for path in (ROOT / "registry").glob("*/references/*")}
    domains = {registry.domain_of(target) for target in registry.targets()}
    return {target.table for target in registry.targets()} | references | domains


def named_in(text: str, known: set[str]) -> dict[str, int]:
    """The names of ``known`` that stand in ``text`` as words, or behind the name of a layer, with a line for each."""
    word = re.compile(rf"(?<![\w])((?:{'|'.join(Layer)})\.)?({'|'.join(sorted(known, key=len, reverse=True))})(?!\w)")
    return {
        match[0]: text.count("\n", 0, match.start()) + 1
        for match in word.finditer(text)
        if match[1] or match[2] not in ENGLISH
    }


@pytest.mark.parametrize(
    "path", sorted((ROOT / "lakehouse").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_no_file_of_the_engine_names_a_table(path: Path, known: set[str]) -> None:
    found = named_in(path.read_text(encoding="utf-8"), known)
    assert not found, f"{path.relative_to(ROOT)} names {found}; write of coupons instead."


def test_each_word_that_is_let_through_is_needed() -> None:
    engine = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "lakehouse").rglob("*.py"))
    assert {name for name in ENGLISH if re.search(rf"\b{name}\b", engine)} == set(ENGLISH)


def test_a_name_is_found_as_a_word_only() -> None:
    two = {"orders", "users"}
    assert named_in("a\n`users` and silver.orders, orders", two) == {"users": 2, "silver.orders": 2}
    assert named_in("users_by_day reorders my_users", two) == {}
