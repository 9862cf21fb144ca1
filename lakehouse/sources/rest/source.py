"""An API during a run."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any

from lakehouse.errors import SourceError
from lakehouse.paths import column_name
from lakehouse.sources.json_objects import objects
from lakehouse.sources.opening import Followed
from lakehouse.sources.reader import Horizon, Wanted
from lakehouse.sources.records import OTHERS, OTHERS_COLUMN, inside
from lakehouse.sources.relation import CursorKind, SourceColumn, SourceRelation
from lakehouse.sources.rest import cursors
from lakehouse.sources.rest.client import Client
from lakehouse.sources.rest.likely import likely_relation
from lakehouse.sources.rest.options import Options, path_of
from lakehouse.sources.rest.page import Page
from lakehouse.sources.rest.pages import Pages
from lakehouse.sources.rest.part import Reading
from lakehouse.sources.rest.reader import RestReader
from lakehouse.sources.rest.rows import Shape
from lakehouse.sources.rest.settings import Settings


@contextmanager
def opened(name: str, source: Settings, followed: Collection[Followed]) -> Iterator["RestSession"]:
    """Source ``name``: there is no connection to be opened."""
    del name, followed
    yield RestSession(source)


class RestSession:
    """See :class:`lakehouse.sources.reader.Session`."""

    one_moment = False
    reads_in_threads = True

    def __init__(self, source: Settings) -> None:
        self._source = source
        self.taken_at = datetime.now(UTC)
        self.horizon = Horizon(self.taken_at, self.taken_at, has_transactions=False)
        self.parallelism = source.parallelism

    def relations(self, schema: str | None = None) -> list[str]:
        """None: an API does not list its own in a way that all share."""
        del schema
        return []

    def describe(self, relation: str) -> SourceRelation:
        """What the first page's records are like, and how pages seem to be asked for.

        Raises:
            SourceError: the API refuses, or no list of records is in the page.
        """
        with closing(Client(self._source, f"describing {relation}")) as client:
            answer = client.get(relation, {})
        return likely_relation(relation, Page(answer.text, answer.next), f"describing {relation}")

    @contextmanager
    def reader(self, wanted: Wanted) -> Iterator[RestReader]:
        """See :class:`lakehouse.sources.reader.Session`. No zone is asked for: a cursor without one is UTC."""
        options = Options.said(wanted.options, wanted.doing)
        if options.since is not None and wanted.cursor is None:
            raise SourceError(
                f"{wanted.doing}: option 'since' is {options.since}, and the table has no cursor; expected one, since its "
                "highest value is what the API is asked by.",
                remedy="Add `cursor:` to the registry file, or remove the option.",
            )
        names = _names(wanted)
        kind = self._kind(wanted, options) if wanted.cursor is not None else None
        cursor = next((name for name, source in names.items() if source == wanted.cursor), None)
        key = tuple(name for name, source in names.items() if source in wanted.key)
        reading = Reading(wanted.relation, options, Shape(names, key, cursor, kind))
        yield RestReader(_relation(wanted.relation, reading.shape), reading, self._source, wanted.doing)

    def _kind(self, wanted: Wanted, options: Options) -> CursorKind:
        if options.cursor_type is not None:
            return cursors.KINDS[options.cursor_type]
        path = path_of(wanted.cursor)
        return cursors.kind_of(_text(inside(record, path)) for record in self._first_records(wanted, options))

    def _first_records(self, wanted: Wanted, options: Options) -> Sequence[Mapping[str, Any]]:
        with closing(Client(self._source, wanted.doing)) as client:
            pages = Pages(client, wanted.relation, options, {}, lambda record: None, wanted.doing)
            first = next(iter(pages))
        return list(objects(first))


def _names(wanted: Wanted) -> dict[str, str]:
    """The fields that are read, lake name to name at the source: those that are declared, the key's and the cursor.

    Raises:
        SourceError: none is declared.
    """
    declared = [name for name in wanted.columns if name != OTHERS]
    if not declared:
        raise wanted.without_columns("records", "`lakehouse new` writes a first list from the first page.")
    names = {wanted.names.get(name, name): name for name in declared}
    for source in (*wanted.key, *((wanted.cursor,) if wanted.cursor else ())):
        if source not in names.values():
            names[column_name(source)] = source
    return names


def _relation(name: str, shape: Shape) -> SourceRelation:
    columns = []
    for lake_name, source in shape.names.items():
        is_cursor = lake_name == shape.cursor
        kind = shape.kind if is_cursor else None
        source_type, lake_type = cursors.TYPED[kind] if kind else ("text", "string")
        columns.append(SourceColumn(source, lake_name, source_type, lake_type, cursor=kind))
    return SourceRelation(name, (*columns, OTHERS_COLUMN), shape.key)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
