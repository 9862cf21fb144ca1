"""README.md, word for word: each of its commands is run, in order, in a fresh clone with an empty home.

Blocks of YAML and SQL that name a file are written to it, so that the runs after them show whether they are right.
The demo starts services of its own on free ports, and makes a fiftieth of its data. What is not run stands in
``_LEFT_OUT``.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
from dotenv import dotenv_values

from scripts.services.process import free_ports
from scripts.services.settings import HOST, PORTS
from tests.conftest import ROOT
from tests.e2e.checkout import clone, shell
from tests.e2e.guide import Block, GuideError, blocks, follow, names_a_file, without

_SCALE = "0.02"
_BENCHMARK = "a benchmark, which takes minutes and asserts nothing"
_LEFT_OUT = {
    "./scripts/test": "it is the suite that this test belongs to",
    "lakehouse run --from 2026-11-01 --to 2026-11-07":
        "it reads a week of all tables again, which takes two minutes; test_postgres_ingest.py replays days",
    "python -m bench.ingest --rows 5000000 --json": _BENCHMARK,
    "python -m bench.ingest --source cassandra --rows 400000 --json": _BENCHMARK,
    "python -m bench.ingest --source files --json": _BENCHMARK,
    "python -m bench.ingest --source kafka --json": _BENCHMARK,
    "python -m bench.run --json": _BENCHMARK,
    "python -m bench.serve --json": _BENCHMARK,
    "python -m bench.increment --json": _BENCHMARK,
    "python -m bench.demo_day --json": _BENCHMARK,
    "python -m bench.day --scale 20 --json": _BENCHMARK,
    "python -m bench.year --json": _BENCHMARK,
    "python -m bench.query --json": _BENCHMARK,
}  # fmt: skip


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return clone(tmp_path / "checkout")


@pytest.fixture
def environment(checkout: Path) -> Iterator[dict[str, str]]:
    """A shell with free ports for the demo's services, which are ended after the test."""
    variables = [variable for _, variable in PORTS.values()]
    ports = dict(zip(variables, map(str, free_ports(HOST, len(variables))), strict=True))
    found = shell(checkout, checkout.parent / "home") | ports | {"LAKEHOUSE_DEMO_SCALE": _SCALE}
    yield found
    subprocess.run(["./scripts/demo", "--stop"], cwd=checkout, env=found, check=True)


def test_the_readme_comes_true(checkout: Path, environment: dict[str, str]) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = [block for block in blocks(text, shown={""}) if block.kind == "sh" or names_a_file(block)]
    first, *others = without(found, _LEFT_OUT)
    assert first.text.split()[0] == "./scripts/demo"
    follow([first], checkout, environment)
    _create_coupons(checkout, environment)
    models = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    others += [block for block in blocks(models, shown={""}) if block.kind == "sh"]
    follow(others, checkout, environment)


def test_every_page_with_commands_is_followed_by_a_test() -> None:
    pages = {page.relative_to(ROOT).as_posix() for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
             if "```sh" in page.read_text(encoding="utf-8")}  # fmt: skip
    assert pages == {"README.md", "docs/adding-a-table.md", "docs/adding-a-source.md", "docs/models.md"}


def test_what_is_left_out_is_there() -> None:
    found = [Block("sh", "a  # why\nb", 1), Block("sh", "c", 4), Block("yaml", "# f.yml\nc", 6)]
    assert [block.text for block in without(found, {"a": "slow", "c": "slow"})] == ["b", "# f.yml\nc"]
    with pytest.raises(GuideError, match="left out, but in no block: d"):
        without(found, {"d": "slow"})


def _create_coupons(checkout: Path, environment: dict[str, str]) -> None:
    """The table that the files in the README are an example of, at the demo's PostgreSQL."""
    secrets = dotenv_values(checkout / ".env")
    with psycopg2.connect(host=HOST, port=environment["LAKEHOUSE_PG_PORT"], dbname="app", user="postgres",
                          password=secrets["APP_PG_ADMIN_PASSWORD"]) as connection, connection.cursor() as cursor:  # fmt: skip
        cursor.execute("CREATE TABLE public.coupons (id int PRIMARY KEY, created_at timestamptz NOT NULL)")
        cursor.execute("INSERT INTO public.coupons VALUES (1, '2026-03-01 08:00+00'), (2, '2026-03-02 00:00+00')")
