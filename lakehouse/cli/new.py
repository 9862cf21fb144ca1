"""`lakehouse new`: registry files from a live source, or a gold table with its test."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from lakehouse.cli.options import ProfileName, listed
from lakehouse.cli.terminal import ERRORS, results
from lakehouse.errors import ConfigurationError, SourceError, suggest
from lakehouse.iceberg.metadata import LakeMetadata
from lakehouse.paths import check_identifier
from lakehouse.registry import loader
from lakehouse.scaffold import mart as marts
from lakehouse.scaffold.inputs import inputs
from lakehouse.scaffold.schema import NewTable, bare_name, choose, matching, registered, table_name
from lakehouse.scaffold.table import likely_cursor, registry_file
from lakehouse.settings import Profile, load_profile
from lakehouse.sources.opening import opened
from lakehouse.sources.reader import Session
from lakehouse.sources.relation import SourceRelation


class MartKind(StrEnum):
    """In what a gold table is written."""

    SQL = "sql"
    PYTHON = "python"


@dataclass(frozen=True)
class _Place:
    """Where files go: a domain of the profile's registry, in which files that are there are replaced or not."""

    settings: Profile
    domain: str
    overwrite: bool

    @property
    def folder(self) -> Path:
        return self.settings.registry / self.domain

    def shown(self, file: Path) -> str:
        """``file`` as it is called from the project's folder, where commands are called."""
        root = self.settings.root
        return str(file.relative_to(root) if file.is_relative_to(root) else file)


def new(
    table: Annotated[
        str, typer.Argument(help="The table's name in the lake; by default that of its relation.", show_default=False)
    ] = "",
    source: Annotated[str, typer.Option(help="A source of the profile.")] = "",
    relation: Annotated[str, typer.Option(help="The relation there, such as public.coupons.")] = "",
    schema: Annotated[str, typer.Option(help="Register all relations of this schema, or keyspace.")] = "",
    like: Annotated[str, typer.Option(help="Only relations of such names: 'order*,customer?'.")] = "",
    but: Annotated[str, typer.Option("--except", help="No relations of such names: 'tmp_*'.")] = "",
    domain: Annotated[str, typer.Option(help="The folder of the registry to write to.")] = "main",
    mart: Annotated[MartKind | None, typer.Option(help="Write a gold table instead, with its test.")] = None,
    reads: Annotated[str, typer.Option(help="What it reads: silver.coupons,silver.shops.")] = "",
    tests: Annotated[Path | None, typer.Option(help="The folder of its test; tests/unit/registry_<domain>.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there.")] = False,
    profile: ProfileName = None,
) -> None:
    """Register tables of a live source, one or a whole schema; or with --mart write a gold table and its test.

    What was written runs as it is. No file that is there is replaced without --overwrite.
    """
    place = _Place(load_profile(profile), check_identifier(domain, "--domain"), overwrite)
    many = bool(schema or like or but)
    _check_options(table, source, relation, mart, reads, many=many)
    if mart is not None:
        _write_mart(check_identifier(table, "the table"), mart, listed(reads), tests, place)
    elif many:
        _register_all(source, schema or None, listed(like), listed(but), place)
    else:
        _register(check_identifier(table, "the table") if table else table_name(relation), source, relation, place)


def _check_options(table: str, source: str, relation: str, mart: MartKind | None, reads: str, *, many: bool) -> None:
    if mart is not None and not (table and reads):
        raise ConfigurationError(
            "--mart needs the name of the mart, and --reads: the tables of silver or gold that it is made from.",
            remedy="Pass a name and --reads silver.<table>.",
        )
    if mart is None and (not source or bool(relation) == many):
        raise ConfigurationError(
            "a table of a source needs --source and --relation, a whole schema --source and --schema, and a gold table "
            "--mart and --reads."
        )
    if many and table:
        raise ConfigurationError(
            f"{table!r} would be the name of all tables of the schema.",
            remedy="Leave it out: tables are called as their relations are.",
        )


def _register(table: str, source: str, relation: str, place: _Place) -> None:
    path = place.folder / f"{table}.yml"
    there = registered(table, place.settings.registry)
    if there not in (None, path):
        raise ConfigurationError(
            f"table {table!r} is registered already, by {place.shown(there)}.", remedy="Pass another name."
        )
    with opened(source, place.settings.source(source)) as session:
        text = registry_file(session.describe(relation), source, relation)
    _write({path: text}, place)
    ERRORS.print(f"wrote {place.shown(path)}", highlight=False, soft_wrap=True)
    typer.echo(text, nl=False)
    ERRORS.print(f"run it: lakehouse run --tables {table}", highlight=False, soft_wrap=True)


def _register_all(source: str, schema: str | None, like: list[str], but: list[str], place: _Place) -> None:
    described: dict[NewTable, SourceRelation] = {}
    with opened(source, place.settings.source(source)) as session:
        fitting = _fitting(session, source, schema, like, but)
        choice = choose(fitting, place.settings.registry, place.domain, overwrite=place.overwrite)
        left_alone = dict(choice.left_alone)
        for table in choice.tables:
            try:
                described[table] = session.describe(table.relation)
            except SourceError as error:
                if error.retryable:
                    raise
                left_alone[table.relation] = str(error)
    _write({t.path: registry_file(found, source, t.relation) for t, found in described.items()}, place)
    if described:
        results().print(_summary(described))
    ERRORS.print(f"wrote {_counted(len(described), 'file')} to {place.shown(place.folder)}", highlight=False)
    for relation, why in left_alone.items():
        ERRORS.print(f"left alone: {relation}: {why}", markup=False, highlight=False, soft_wrap=True)
    if any("is there" in why for why in left_alone.values()) and not place.overwrite:
        ERRORS.print("--overwrite replaces files of this domain that are there", highlight=False)
    if described:
        ERRORS.print(f"run them: lakehouse run --domains {place.domain}", highlight=False)


def _fitting(session: Session, source: str, schema: str | None, like: list[str], but: list[str]) -> list[str]:
    there = session.relations(schema)
    if not there:
        schemas = sorted({relation.rpartition(".")[0] for relation in session.relations(None)})
        raise ConfigurationError(
            f"source {source!r} has no relation in schema {schema!r}. {suggest(schema or '', schemas)}"
        )
    found = matching(there, like, but)
    if not found:
        names = [bare_name(relation) for relation in there]
        raise ConfigurationError(
            f"source {source!r}: of its {_counted(len(there), 'relation')} none fits --like and --except. "
            f"{suggest(like[0] if like else '', names)}"
        )
    return found


def _summary(described: Mapping[NewTable, SourceRelation]) -> Table:
    table = Table()
    for name in ("table", "relation", "columns", "key", "cursor, by its name"):
        table.add_column(name, justify="right" if name == "columns" else "left", overflow="fold")
    for new_table, found in described.items():
        cursor = likely_cursor(found)
        key = ", ".join(found.key) or "none"
        values = (new_table.name, new_table.relation, str(len(found.columns)), key, cursor.name if cursor else "none")
        table.add_row(*map(escape, values))
    return table


def _write_mart(table: str, kind: MartKind, reads: list[str], tests: Path | None, place: _Place) -> None:
    settings = place.settings
    mart = marts.plan(table, inputs(loader.load(settings.registry), LakeMetadata(settings), reads))
    test = (tests or settings.root / "tests" / "unit" / f"registry_{place.domain}") / f"test_{table}.py"
    file = place.folder / (f"{table}.sql" if kind is MartKind.SQL else f"{table}.py")
    _write({file: marts.sql(mart) if kind is MartKind.SQL else marts.python(mart), test: marts.unit_test(mart)}, place)
    ERRORS.print(
        f"wrote {place.shown(file)} and {place.shown(test)}\ntest it: python -m pytest {place.shown(test)}\n"
        f"run it: lakehouse run --tables {table}",
        highlight=False,
        soft_wrap=True,
    )


def _write(files: Mapping[Path, str], place: _Place) -> None:
    """Write all of ``files``, or none where one of them is there and is not to be replaced."""
    for path in files:
        if path.exists() and not place.overwrite:
            raise ConfigurationError(f"{path} is there already.", remedy="Choose another name, or pass --overwrite.")
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
