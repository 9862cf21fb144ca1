"""`lakehouse new` on a source that is a list of relations: what it writes, says, and leaves alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lakehouse.errors import SourceError, SourceUnavailableError
from lakehouse.registry import loader
from lakehouse.sources.relation import SourceColumn, SourceRelation
from tests.unit.cli.conftest import Lakehouse

ID = SourceColumn("id", "id", "integer", "int", nullable=False)
CHANGED = SourceColumn("last_update", "last_update", "timestamp with time zone", "timestamp")
RELATIONS = {
    "public.orders": SourceRelation("public.orders", (ID, CHANGED), ("id",)),
    "public.order_items": SourceRelation("public.order_items", (ID,), ()),
    "public.tmp_orders": SourceRelation("public.tmp_orders", (ID,), ("id",)),
}


class Source:
    """A source whose relation `public.empty` cannot be described, and whose `public.gone` makes it break down."""

    def __init__(self, *more: str) -> None:
        self._names = [*RELATIONS, *more]

    def relations(self, schema: str | None) -> list[str]:
        return self._names if schema in (None, "public") else []

    def describe(self, relation: str) -> SourceRelation:
        if relation == "public.gone":
            raise SourceUnavailableError("it does not answer")
        if relation not in RELATIONS:
            raise SourceError(f"relation {relation!r} has no column to read.")
        return RELATIONS[relation]


@pytest.fixture(autouse=True)
def source(monkeypatch: pytest.MonkeyPatch) -> None:
    _become(monkeypatch, Source())


def _become(monkeypatch: pytest.MonkeyPatch, source: Source) -> None:
    @contextmanager
    def opened(name: str, settings: object) -> Iterator[Source]:
        yield source

    monkeypatch.setattr("lakehouse.cli.new.opened", opened)


def test_one_table_is_written_and_shown(lakehouse: Lakehouse, root: Path) -> None:
    done = lakehouse("new", "--source", "app", "--relation", "public.orders", "--domain", "shop")
    text = (root / "registry" / "shop" / "orders.yml").read_text()
    assert (done.exit_code, done.stdout) == (0, text)
    assert done.stderr == "wrote registry/shop/orders.yml\nrun it: lakehouse run --tables orders\n"
    assert loader.load(root / "registry").tables["orders"].cursor == "last_update"


def test_a_table_may_have_another_name_than_its_relation(lakehouse: Lakehouse, root: Path) -> None:
    lakehouse("new", "sales", "--source", "app", "--relation", "public.orders")
    assert loader.load(root / "registry").tables["sales"].source.relation == "public.orders"


def test_a_whole_schema_is_written_and_counted(lakehouse: Lakehouse, root: Path) -> None:
    done = lakehouse("new", "--source", "app", "--schema", "public", "--except", "tmp_*", "--domain", "shop")
    assert (done.exit_code, set(loader.load(root / "registry").tables)) == (0, {"orders", "order_items"})
    rows = [line.strip("│").split("│") for line in done.stdout.splitlines() if line.startswith("│")]
    assert [[cell.strip() for cell in row] for row in rows] == [
        ["orders", "public.orders", "2", "id", "last_update"],
        ["order_items", "public.order_items", "1", "none", "none"],
    ]
    assert "wrote 2 files to registry/shop\nrun them: lakehouse run --domains shop\n" in done.stderr


def test_files_that_are_there_are_left_alone_and_named(lakehouse: Lakehouse, root: Path) -> None:
    (root / "registry" / "main").mkdir()
    (root / "registry" / "main" / "orders.yml").write_text("by hand")
    command = ("new", "--source", "app", "--like", "order*")
    done = lakehouse(*command)
    assert "wrote 1 file to registry/main" in done.stderr
    assert "left alone: public.orders: registry/main/orders.yml is there\n--overwrite replaces" in done.stderr
    assert (root / "registry" / "main" / "orders.yml").read_text() == "by hand"
    assert "wrote 2 files" in lakehouse(*command, "--overwrite").stderr
    assert "last_update" in (root / "registry" / "main" / "orders.yml").read_text()


def test_a_relation_that_cannot_be_read_is_left_alone(
    lakehouse: Lakehouse, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _become(monkeypatch, Source("public.empty"))
    done = lakehouse("new", "--source", "app", "--schema", "public")
    assert "left alone: public.empty: relation 'public.empty' has no column to read." in done.stderr
    assert "wrote 3 files" in done.stderr


def test_a_source_that_breaks_down_writes_nothing(
    lakehouse: Lakehouse, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _become(monkeypatch, Source("public.gone"))
    assert lakehouse("new", "--source", "app", "--schema", "public").exit_code == 3
    assert not list((root / "registry").iterdir())


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "a table of a source needs --source and --relation"),
        (["--source", "app"], "a whole schema --source and --schema"),
        (["--source", "app", "--relation", "public.orders", "--schema", "public"], "a table of a source needs"),
        (["orders", "--source", "app", "--schema", "public"], "'orders' would be the name of all tables"),
        (["--source", "ap", "--relation", "public.orders"], "has no source 'ap'"),
        (["--source", "app", "--like", "ordr"], "none fits --like and --except. Did you mean 'orders'?"),
        (["--source", "app", "--schema", "publc"], "has no relation in schema 'publc'. Did you mean 'public'?"),
        (["Orders", "--source", "app", "--relation", "public.orders"], "'Orders' is not a valid name"),
        (["there", "--source", "app", "--relation", "public.orders"], "registry/main/there.yml is there already"),
        (["there", "--domain", "b", "--source", "app", "--relation", "public.orders"], "is registered already, by registry/"),
        (["orders_by_day", "--mart", "sql"], "--mart needs the name of the mart, and --reads"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(lakehouse: Lakehouse, root: Path, arguments: list[str], expected: str) -> None:
    (root / "registry" / "main").mkdir()
    (root / "registry" / "main" / "there.yml").write_text("source: {connection: app, relation: public.there}\n")
    done = lakehouse("new", *arguments)
    assert (done.exit_code, expected in done.stderr) == (2, True), done.stderr
