"""The filters that MongoDB is asked with.

MongoDB compares types apart: ``{at: {$gte: <date>}}`` matches dates only, however a string or a number might look. Values of
several types in one field are normal, so a read by bound asks for the documents whose cursor is of another type, too,
each time; so it does for those that have no cursor. They are few, or the cursor is a bad one.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from bson import Decimal128, Int64, ObjectId
from bson.datetime_ms import DatetimeMS
from bson.errors import InvalidId

from lakehouse.sources.documents.client import ID, Range
from lakehouse.sources.documents.values import FIRST_MS, LAST_MS, milliseconds
from lakehouse.sources.reader import Bound

Filter = Mapping[str, Any]
_NUMBERS = ("int", "long", "double", "decimal")
#: The types that MongoDB compares with each other, by the name of their group.
GROUPS = {"string": ("string",), "objectId": ("objectId",), "number": _NUMBERS}
#: All types but code and the deprecated ones, which the tests' server does not know. They are named, where a negation would
#: do, because MongoDB's index finds types that are named; by a negation it goes over all keys. A document whose cursor is of
#: another type is found as a new one when keys are compared; one whose id is, is not read.
_TYPES = (
    *("date", "string", "bool", "objectId", "object", "array", "binData", "null", "regex", "timestamp"),
    *("minKey", "maxKey", *_NUMBERS),
)
#: Types of ids of no group.
OTHER_IDS = tuple(name for name in _TYPES if name not in ("string", "objectId", "array", *_NUMBERS))
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?|NaN|-?Infinity")
_WHOLE = re.compile(r"-?\d{1,19}")
_AT_ONCE = 5_000  # ids in a query


def of_range(ids: Range) -> Filter:
    """The ids of a range. NaN, which is below every number and compares with none, is in the first one."""
    if ids.kind is None:
        return {}
    types = list(GROUPS[ids.kind])
    if ids.is_rest:
        return {ID: {"$type": [name for name in _TYPES if name not in (*types, "array")]}}
    if ids.lower is None:
        of_kind: Filter = {ID: {"$type": types}}
        return of_kind if ids.upper is None else {"$and": [of_kind, {ID: {"$not": {"$gte": ids.upper}}}]}
    return {ID: {"$gte": ids.lower} | ({} if ids.upper is None else {"$lt": ids.upper})}


def of_bound(bound: Bound | None) -> Filter:
    """The cursors within a bound, those of other types and those that are not there.

    Numbers are of one kind: among whole ones, one with a fraction is looked for as the number that it is.

    Args:
        bound: its cursor is a path at the source.
    """
    if bound is None or (bound.lower is None and bound.upper is None):
        return {}
    path = bound.cursor
    sides = {"$gte": bound.lower, "$lt": bound.upper}
    within = {name: _value(side) for name, side in sides.items() if side is not None}
    is_number = isinstance(bound.lower if bound.lower is not None else bound.upper, int)
    alike = _NUMBERS if is_number else ("date",)
    other = [name for name in _TYPES if name not in alike]
    asked: list[Filter] = [{path: within}, {path: None}, {path: {"$type": other}}]
    if not is_number:  # what no date of the lake can be counts as of another type
        asked += [{path: {"$lt": DatetimeMS(FIRST_MS)}}, {path: {"$gt": DatetimeMS(LAST_MS)}}]
    return {"$or": asked}


def _value(side: Any) -> Any:
    return Int64(side) if isinstance(side, int) else DatetimeMS(milliseconds(side))


def both(first: Filter, second: Filter) -> Filter:
    """What both let through."""
    return {"$and": [first, second]} if first and second else first or second


def of_texts(texts: Iterable[str | None]) -> Iterator[Filter]:
    """Some filters that together let each id with one of ``texts`` through once, and maybe others."""
    found = iter(texts)
    while chunk := list(islice(found, _AT_ONCE)):
        yield {ID: {"$in": [value for text in chunk if text is not None for value in _candidates(text)]}}
    yield {ID: {"$type": list(OTHER_IDS)}}


def _candidates(text: str) -> Sequence[Any]:
    """The strings, ObjectIds and numbers that have this text."""
    found: list[Any] = [text]
    if len(text) == 24:
        try:
            found.append(ObjectId(text))
        except InvalidId:
            pass
    if _WHOLE.fullmatch(text) and -(2**63) <= int(text) < 2**63:
        found.append(Int64(text))
    elif _NUMBER.fullmatch(text):
        found.append(float(text))
        if len(text) <= 34:  # digits of a Decimal128
            found.append(Decimal128(text))
    return found
