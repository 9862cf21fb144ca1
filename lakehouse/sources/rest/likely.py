"""What a relation of an API is like, by its first page: for a first contract, which a person then reads."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from lakehouse.errors import SourceError
from lakehouse.sources.json_objects import objects
from lakehouse.sources.likely import text_columns
from lakehouse.sources.records import OTHERS, OTHERS_COLUMN, has, inside
from lakehouse.sources.relation import CursorKind, Likely, SourceColumn, SourceRelation
from lakehouse.sources.rest.cursors import moment
from lakehouse.sources.rest.options import Paging, path_of
from lakehouse.sources.rest.page import NoPageError, Page

_CURSORS = (
    "next_cursor",
    "nextCursor",
    "next_page_token",
    "nextPageToken",
    "next_token",
    "nextToken",
    "cursor",
    "after",
)
_LINKS = ("next", "next_url", "nextUrl", "@odata.nextLink")
_TOTALS = ("total", "total_count", "totalCount", "total_results", "totalResults", "count", "all", "hits")
_AROUND = ("", "meta.", "pagination.", "paging.", "links.", "_links.")


def likely_relation(name: str, page: Page, doing: str) -> SourceRelation:
    """The columns, the key and the options of relation ``name``, as its first page lets one guess them.

    Raises:
        SourceError: there is no list of records in it.
    """
    lists = page.lists()
    if not lists:
        raise SourceError(
            f"{doing}: {name} answers with JSON in which no list of objects is; expected one, at the top or at most two fields "
            "deep.",
            remedy="Write the registry file by hand, with `records` under `options`.",
        )
    where = max(lists, key=lambda path: len(page.records(path_of(path))))
    records = list(objects(page.records(path_of(where))))
    columns = [_typed(column, records) for column in text_columns(records, [OTHERS])]
    options = ({"records": where} if where else {}) | (paging_of(page) or _total(page, len(records)))
    options |= _sparse(columns, records)
    return SourceRelation(name, (*columns, OTHERS_COLUMN), _key(columns, records), options)


def _typed(column: SourceColumn, records: Sequence[Mapping[str, Any]]) -> SourceColumn:
    """A column whose texts are all moments may be a cursor."""
    if column.likely != Likely("timestamp"):
        return column
    values = [inside(record, path_of(column.source_name)) for record in records]
    if all(isinstance(value, str) and moment(value) is not None for value in values):
        return replace(column, lake_type="timestamp", cursor=CursorKind.MOMENT)
    return column


def paging_of(page: Page) -> dict[str, str]:
    """How the next page seems to be asked for; nothing where the page does not say it."""
    for before in _AROUND:
        for name in _CURSORS:
            if _value(page, before + name):
                return {"paging": str(Paging.CURSOR), "next": before + name}
        for name in _LINKS:
            if said := _value(page, before + name):
                is_link = said.startswith(("http", "/", "?"))
                return {"paging": str(Paging.LINK if is_link else Paging.CURSOR), "next": before + name}
    return {"paging": str(Paging.LINK)} if page.link else {}


def _total(page: Page, records: int) -> dict[str, str]:
    """Where the page says that there are more records than it has: a read of it alone is refused by that."""
    for path in (f"{before}{name}" for before in _AROUND for name in _TOTALS):
        said = _value(page, path)
        if said is not None and said.isdecimal() and int(said) > records:
            return {"total": path}
    return {}


def _value(page: Page, path: str) -> str | None:
    try:
        return page.value(path_of(path))
    except NoPageError:
        return None


def _sparse(columns: Sequence[SourceColumn], records: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The fields that only some of the records have."""
    found = [
        column.source_name
        for column in columns
        if not all(has(record, path_of(column.source_name)) for record in records)
    ]
    return {"sparse": ",".join(found)} if found else {}


def _key(columns: Sequence[SourceColumn], records: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """The first field called id, or something_id, that tells the records apart."""
    names = [column for column in columns if column.name == "id"]
    names += [column for column in columns if column.name.endswith(("_id", "_uuid", "_key"))]
    for column in names:
        values = [inside(record, path_of(column.source_name)) for record in records]
        if None not in values and len({str(value) for value in values}) == len(values):
            return (column.name,)
    return ()
