"""A first registry file for a relation of a live source: it runs as it is, and says what to look at."""

import io
import re
from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import SingleQuotedScalarString

from lakehouse.paths import ARRIVAL_COLUMNS, ORDER
from lakehouse.sources.relation import SourceColumn, SourceRelation

# without underscores, the likeliest first
_CURSOR_NAMES = (
    *(
        "updatedat",
        "modifiedat",
        "lastmodifiedat",
        "lastupdatedat",
        "lastmodified",
        "lastupdated",
        "lastupdate",
        "lastchanged",
    ),
    *("lastchange", "changedat", "updatetime", "updatets", "updatedate", "updateddate", "modifieddate", "datemodified"),
    *(
        "dateupdated",
        "updatedon",
        "modifiedon",
        "changedon",
        "lastmodifieddate",
        "lastupdatedate",
        "updated",
        "modified",
    ),
)
_ODD = re.compile(r"[?*&!%@`|>{}\[\],#:=]")
_PERSONAL = ("email", "mail", "phone", "first_name", "last_name", "full_name", "password", "birth", "address", "iban")


def likely_cursor(relation: SourceRelation) -> SourceColumn | None:
    """The column that by name and type grows with each change; it needs a key beside it to be of use."""
    if not relation.key:
        return None
    moments = [column for column in relation.columns if column.lake_type == "timestamp"]
    by_name = {column.name.replace("_", ""): column for column in moments}
    return next((by_name[name] for name in _CURSOR_NAMES if name in by_name), None)


def registry_file(relation: SourceRelation, connection: str, spelled: str) -> str:
    """The text of a registry file for ``relation``, which the registry calls ``spelled``."""
    content = CommentedMap()
    origin = {"connection": connection, "relation": spelled}
    content["source"] = _flow(origin | ({"options": _flow(relation.options)} if relation.options else {}))
    arrives = any(column.name == ORDER for column in relation.columns)
    if arrives:
        content["load"] = "arrivals"
    if relation.key and not (arrives and set(relation.key) <= set(ARRIVAL_COLUMNS)):
        content["key"] = _sequence(list(relation.key))
    cursor = None if arrives else likely_cursor(relation)
    if cursor is not None:
        content["cursor"] = cursor.name
        content.yaml_add_eol_comment("by its name; check that every change moves it", "cursor")
    columns = CommentedMap()
    for column in relation.columns:
        if arrives and column.name in ARRIVAL_COLUMNS:
            continue
        columns[column.name] = _flow(_said(column))
        columns.yaml_add_eol_comment(_remark(column), column.name)
    content["columns"] = columns
    stream = io.StringIO()
    writer = YAML()
    writer.width = 120
    writer.dump(content, stream)
    return stream.getvalue()


def _said(column: SourceColumn) -> dict[str, Any]:
    """What the contract says of a column: no more than differs from what holds without a word."""
    found: dict[str, Any] = {} if column.name == column.source_name else {"source": column.source_name}
    if column.likely and column.likely.kind != "string":
        found["type"] = column.likely.kind
    if column.likely and column.likely.formats:
        found["formats"] = _sequence(list(column.likely.formats))
    return found


def _remark(column: SourceColumn) -> str:
    kind = (
        column.source_type
        if column.lake_type in column.source_type
        else f"{column.source_type}, here {column.lake_type}"
    )
    if column.likely and column.likely.kind != "string":
        kind = "by some of its values"
    hint = "; personal data? set pii" if any(word in column.name for word in _PERSONAL) else ""
    return f"{kind}{'' if column.nullable else ', never null'}{hint}"


def _flow(values: Mapping[str, Any]) -> CommentedMap:
    """A mapping in braces, in which texts that not each reader of YAML takes for one are in quotes."""
    found = CommentedMap({name: _quoted(value) for name, value in values.items()})
    found.fa.set_flow_style()
    return found


def _quoted(value: Any) -> Any:
    return SingleQuotedScalarString(value) if isinstance(value, str) and _ODD.search(value) else value


def _sequence(values: list[str]) -> CommentedSeq:
    found = CommentedSeq(values)
    found.fa.set_flow_style()
    return found
