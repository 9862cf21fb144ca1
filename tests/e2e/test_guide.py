"""The guide "Adding a table", followed word for word in a clone of the checkout."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.services.control import Services
from scripts.services.settings import PORTS
from tests.conftest import ROOT
from tests.e2e.checkout import empty_clone, shell
from tests.e2e.guide import Block, GuideError, blocks, follow
from tests.integration.endpoints import PostgresEndpoint

GUIDE = ROOT / "docs" / "adding-a-table.md"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A clone of the checkout with an empty registry: there, after the demo, nothing would change."""
    return empty_clone(tmp_path / "checkout")


@pytest.fixture
def environment(checkout: Path, app_database: PostgresEndpoint, services: Services) -> Iterator[dict[str, str]]:
    """What the shell of the guide's reader has; the services are those of the tests."""
    ports = {variable: os.environ[variable] for _, variable in PORTS.values() if variable in os.environ}
    yield shell(checkout, checkout.parent / "home") | services.env | ports
    with app_database.connect() as connection, connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS public.coupons")


def test_the_guide_comes_true(checkout: Path, environment: dict[str, str]) -> None:
    found = blocks(GUIDE.read_text(encoding="utf-8"))
    assert {block.kind for block in found} == {"sh", "text", "yaml", "sql"}
    follow(found, checkout, environment)


def test_every_fence_of_the_guide_is_a_block() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    assert text.count("```") == 2 * len(blocks(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("```console\nls\n```\n", "fence '```console'"),
        ("```sh title\nls\n```\n", "fence '```sh title'"),
        ("- a list\n\n  ```sh\n  ls\n  ```\n", "line 3: fence"),
        ("~~~sh\nls\n~~~\n", "fence '~~~sh'"),
        ("Text:\n\n    ls\n", "line 3: '    ls' is code without a fence"),
        ("```sh\nls\n", "the block does not end"),
    ],
)
def test_what_would_not_be_followed_is_refused(text: str, expected: str) -> None:
    with pytest.raises(GuideError, match=expected):
        blocks(text)


@pytest.mark.parametrize(
    "steps",
    [
        [("sh", "echo a; echo b"), ("text", "a\nb")],
        [("sh", "echo a; echo b; echo c >&2"), ("text", "a\n…\nc")],
        [("sh", "echo 3 rows, 1.5 s; echo run 20260101T000000-abcdef"), ("text", "3 rows, 0.2 s\nrun 20270101T000000-123456")],
        [("sh", "export X=1"), ("sh", "echo $X $PWD/f"), ("text", "1 …/f")],
        [("sh", "false  # exit code 1")],
        [("yaml", "# f.yml\na: 1"), ("sh", "cat f.yml"), ("text", "a: 1")],
        [("sh", "echo a: 1 > f.yml"), ("yaml", "# f.yml, as it was written\na: 1")],
    ],
)  # fmt: skip
def test_what_is_true_is_followed(steps: list[tuple[str, str]], tmp_path: Path) -> None:
    follow([Block(kind, text, 1) for kind, text in steps], tmp_path, os.environ)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([("sh", "echo a; echo b"), ("text", "a")], "differ"),
        ([("sh", "echo a"), ("text", "a\nb")], "differ"),
        ([("sh", "echo 3 rows, 1.5 s"), ("text", "4 rows, 1.5 s")], "differ"),
        ([("sh", "echo a"), ("text", "…\nb\n…")], "differ"),
        ([("sh", "false; true")], "ended with 1; expected 0"),
        ([("sh", "true  # exit code 2")], "ended with 0; expected 2"),
        ([("text", "a")], "output without commands"),
        ([("sh", "echo a"), ("text", "a"), ("text", "a")], "output without commands"),
        ([("sh", "echo a: 1 > f.yml"), ("yaml", "# f.yml, as it was written\na: 2")], "differ"),
        ([("yaml", "# f.yml, as it was written\na: 2")], "no command wrote f.yml"),
        ([("yaml", "a: 2")], "names no file"),
    ],
)
def test_what_is_not_true_is_refused(steps: list[tuple[str, str]], expected: str, tmp_path: Path) -> None:
    with pytest.raises(GuideError, match=expected):
        follow([Block(kind, text, 1) for kind, text in steps], tmp_path, os.environ)
