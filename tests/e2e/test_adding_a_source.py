"""The page "Adding a kind of source", followed word for word in a clone of the checkout with an empty registry."""

from pathlib import Path

from tests.conftest import ROOT
from tests.e2e.checkout import empty_clone, shell
from tests.e2e.guide import blocks, follow

PAGE = ROOT / "docs" / "adding-a-source.md"


def test_the_page_comes_true(tmp_path: Path) -> None:
    checkout = empty_clone(tmp_path / "checkout")
    found = blocks(PAGE.read_text(encoding="utf-8"))
    assert {block.kind for block in found} == {"sh", "text", "yaml", "python"}
    follow(found, checkout, shell(checkout, tmp_path / "home"))
