"""The page "Adding a kind of source", followed word for word in a clone of the checkout with an empty registry."""

import shutil
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.e2e.checkout import clone, shell
from tests.e2e.guide import blocks, follow

PAGE = ROOT / "docs" / "adding-a-source.md"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    found = clone(tmp_path / "checkout")
    for domain in (found / "registry").iterdir():
        shutil.rmtree(domain)
    return found


def test_the_page_comes_true(checkout: Path) -> None:
    found = blocks(PAGE.read_text(encoding="utf-8"))
    assert {block.kind for block in found} == {"sh", "text", "yaml", "python"}
    follow(found, checkout, shell(checkout, checkout.parent / "home"))
