"""Writes a registry file from a live source; started by scripts/new_table."""

from typing import Annotated

import typer
from rich.console import Console

from lakehouse.errors import ConfigurationError, LakehouseError
from lakehouse.ingest.cassandra import options
from lakehouse.paths import check_identifier
from lakehouse.registry.scaffold import registry_file
from lakehouse.settings import CassandraSource, PostgresSource, load_profile
from lakehouse.sources.cassandra import connection as cassandra
from lakehouse.sources.cassandra import schema
from lakehouse.sources.postgres.connection import connect
from lakehouse.sources.postgres.describe import describe
from lakehouse.sources.relation import SourceRelation

console = Console(stderr=True)


def main(
    table: Annotated[str, typer.Argument(help="The table's name in the lake.")],
    source: Annotated[str, typer.Option(help="A source of the profile.")],
    relation: Annotated[str, typer.Option(help="The relation there, such as public.coupons.")],
    domain: Annotated[str, typer.Option(help="The folder of the registry to write to.")] = "main",
    profile: Annotated[str | None, typer.Option(help="A file of conf/, without its suffix.")] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace a file that is there.")] = False,
) -> None:
    """Write registry/<domain>/<table>.yml for a relation of a live source."""
    try:
        settings = load_profile(profile)
        path = settings.registry / check_identifier(domain, "--domain") / f"{check_identifier(table, 'the table')}.yml"
        if path.exists() and not overwrite:
            raise ConfigurationError(f"{path} is there already.", remedy="Choose another name, or pass --overwrite.")
        found = _described(settings.source(source), source, relation)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(registry_file(found, source, relation), encoding="utf-8")
    except LakehouseError as error:
        console.print(str(error), markup=False, highlight=False, style="red", soft_wrap=True)
        raise SystemExit(int(error.exit_code)) from None
    console.print(f"wrote {path}\nrun it: scripts/run_pipeline.py --tables {table}", highlight=False)


def _described(source: PostgresSource | CassandraSource, name: str, relation: str) -> SourceRelation:
    if isinstance(source, PostgresSource):
        with connect(name, source) as connection:
            return describe(connection, relation, source.timezone, f"scaffolding {relation}").relation
    reach = options(source)
    with cassandra.connect(reach) as session:
        return schema.describe(session, reach.keyspace, relation).relation


if __name__ == "__main__":
    typer.run(main)
