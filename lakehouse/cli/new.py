"""`lakehouse new`: writes a registry file from a live source, or a gold table with its test."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from lakehouse.cli.options import ProfileName, listed
from lakehouse.cli.terminal import ERRORS
from lakehouse.errors import ConfigurationError, suggest
from lakehouse.iceberg.metadata import LakeMetadata
from lakehouse.paths import Layer, check_identifier, raw
from lakehouse.raw.cassandra import options
from lakehouse.raw.state import last_state
from lakehouse.registry import loader
from lakehouse.scaffold import mart as scaffold_mart
from lakehouse.scaffold.table import registry_file
from lakehouse.settings import CassandraSource, PostgresSource, Profile, load_profile
from lakehouse.silver.privacy import published_type
from lakehouse.sources.cassandra import connection as cassandra
from lakehouse.sources.cassandra import schema
from lakehouse.sources.postgres.connection import connect
from lakehouse.sources.postgres.describe import describe
from lakehouse.sources.relation import SourceRelation


class MartKind(StrEnum):
    """In what a gold table is written."""

    SQL = "sql"
    PYTHON = "python"


def new(
    table: Annotated[str, typer.Argument(help="The table's name in the lake.")],
    source: Annotated[str, typer.Option(help="A source of the profile.")] = "",
    relation: Annotated[str, typer.Option(help="The relation there, such as public.coupons.")] = "",
    mart: Annotated[MartKind | None, typer.Option(help="Write a gold table instead, with its test.")] = None,
    reads: Annotated[str, typer.Option(help="What it reads: silver.coupons,silver.users.")] = "",
    tests: Annotated[Path | None, typer.Option(help="The folder of its test; tests/unit/registry_<domain>.")] = None,
    domain: Annotated[str, typer.Option(help="The folder of the registry to write to.")] = "main",
    profile: ProfileName = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there.")] = False,
) -> None:
    """Write a registry file: for a relation of a live source, or with --mart for a gold table and its test."""
    settings = load_profile(profile)
    check_identifier(table, "the table")
    folder = settings.registry / check_identifier(domain, "--domain")
    _check_options(source, relation, mart, reads)
    if mart is None:
        found = _described(settings.source(source), source, relation)
        files = {folder / f"{table}.yml": registry_file(found, source, relation)}
        then = f"run it: lakehouse run --tables {table}"
    else:
        tests = tests or settings.root / "tests" / "unit" / f"registry_{domain}"
        test = tests / f"test_{table}.py"
        wanted = scaffold_mart.plan(table, _inputs(settings, listed(reads)))
        text = scaffold_mart.sql(wanted) if mart is MartKind.SQL else scaffold_mart.python(wanted)
        suffix = "sql" if mart is MartKind.SQL else "py"
        files = {folder / f"{table}.{suffix}": text, test: scaffold_mart.unit_test(wanted)}
        then = f"test it: scripts/test {_shown(test, settings)}\nrun it: lakehouse run --tables {table}"
    _write(files, overwrite=overwrite)
    written = " and ".join(_shown(file, settings) for file in files)
    ERRORS.print(f"wrote {written}\n{then}", highlight=False, soft_wrap=True)


def _shown(file: Path, settings: Profile) -> str:
    """``file`` as it is called from the checkout, which is where its scripts run."""
    return str(file.relative_to(settings.root) if file.is_relative_to(settings.root) else file)


def _check_options(source: str, relation: str, mart: MartKind | None, reads: str) -> None:
    if mart is None and not (source and relation):
        raise ConfigurationError(
            "a table of a source needs --source and --relation, and a gold table --mart and --reads."
        )
    if mart is not None and not reads:
        raise ConfigurationError(
            "--mart needs --reads: the tables of silver or gold that the mart is made from.",
            remedy="Pass --reads silver.<table>.",
        )


def _write(files: Mapping[Path, str], *, overwrite: bool) -> None:
    """Write all of ``files``, or none where one of them is there."""
    for path in files:
        if path.exists() and not overwrite:
            raise ConfigurationError(f"{path} is there already.", remedy="Choose another name, or pass --overwrite.")
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _inputs(settings: Profile, reads: list[str]) -> list[scaffold_mart.Input]:
    """What a mart reads, with the columns that the lake has, else those that the registry names."""
    registry, lake = loader.load(settings.registry), LakeMetadata(settings)
    made = {name.dotted: name for name in registry.targets() if name.layer in {Layer.SILVER, Layer.GOLD}}
    found = []
    for read in reads:
        if read not in made:
            raise ConfigurationError(f"--reads: no registry file makes {read!r}. {suggest(read, sorted(made))}")
        name, held = made[read], lake.find(made[read])
        if name.layer is Layer.GOLD:
            mart = registry.transformers[name.table]
            columns, key = dict.fromkeys(mart.columns, ""), mart.grain
        else:
            table, state = registry.source_of(name), last_state(lake.find(raw(registry.source_of(name).table)))
            kinds = {column: published_type(wish.pii, wish.type or "") for column, wish in table.columns.items()}
            columns = dict.fromkeys(table.key, "") | {c: kind for c, kind in kinds.items() if kind is not None}
            key = table.key or (state.key if state else ())
        found.append(scaffold_mart.Input(name, held.columns if held else columns, key))
    return found


def _described(source: PostgresSource | CassandraSource, name: str, relation: str) -> SourceRelation:
    if isinstance(source, PostgresSource):
        with connect(name, source) as connection:
            return describe(connection, relation, source.timezone, f"scaffolding {relation}").relation
    reach = options(source)
    with cassandra.connect(reach) as session:
        return schema.describe(session, reach.keyspace, relation).relation
